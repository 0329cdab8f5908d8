//! `hallpass-grants serve`: the running service.

use anyhow::Result;
use hallpass_grants::config::Secret;
use hallpass_grants::serve::serve;

use super::configuration::ConfigFile;
use super::logs::LogArgs;

#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// The database, in place of the configuration's
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    #[command(flatten)]
    logs: LogArgs,
}

pub(super) fn run(args: ServeArgs) -> Result<u8> {
    args.logs.start()?;
    let mut config = match args.file.read()? {
        Ok(config) => config,
        Err(faults) => {
            for fault in faults.iter() {
                eprintln!("{} fault {fault}", args.file.name());
            }
            return Ok(1);
        }
    };
    if let Some(url) = args.database {
        config.database = Secret::new(url);
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(config))?;
    Ok(0)
}
