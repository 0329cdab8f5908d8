mod credentials;
mod fetching;
mod world;
