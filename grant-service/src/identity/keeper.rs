//! The thread that owns the filter's gate. A gate is one worker's and knows no locks; here one thread is that worker, and everybody else
//! hands it what is to be done. So checking signatures keeps no request waiting that has other things to do.

use std::fmt;
use std::sync::Arc;
use std::thread;

use anyhow::Result;
use hallpass_core::config::Config;
use hallpass_core::flow::Gate;
use hallpass_core::token::signature::PureRust;
use tokio::sync::{mpsc, oneshot};

/// So many tasks may wait; whoever has another waits too.
const QUEUE: usize = 256;

type Task = Box<dyn FnOnce(&mut Gate) + Send>;

/// The gate, from afar.
pub(super) struct Keeper(mpsc::Sender<Task>);

impl Keeper {
    /// Starts the thread. It ends with its keeper.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn start(config: Arc<Config>) -> Result<Self> {
        let (give, mut tasks) = mpsc::channel::<Task>(QUEUE);
        thread::Builder::new()
            .name("tokens".to_owned())
            .spawn(move || {
                let mut gate = Gate::new(config, Box::new(PureRust));
                while let Some(task) = tasks.blocking_recv() {
                    task(&mut gate);
                    // The filter's metrics are not this service's.
                    drop(gate.take_counted());
                }
            })?;
        Ok(Self(give))
    }

    /// What comes of a task; `None` if the thread is no more.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Gate) -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, answer) = oneshot::channel();
        let task: Task = Box::new(move |gate| {
            // Whoever asked may have left.
            let _ = tell.send(task(gate));
        });
        self.0.send(task).await.ok()?;
        answer.await.ok()
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}
