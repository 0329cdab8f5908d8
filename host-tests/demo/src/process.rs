//! A child process that cannot outlive us: it is ended by its id when its value is dropped, and by the kernel when this process dies
//! before it can drop anything.

use std::io;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// A running child process.
#[derive(Debug)]
pub struct OwnedChild(Child);

impl OwnedChild {
    /// Starts `command`.
    ///
    /// # Errors
    /// When it cannot be started.
    ///
    /// # Panics
    /// When the thread that starts processes died.
    pub fn spawn(mut command: Command) -> io::Result<Self> {
        end_with_us(&mut command);
        let (reply, started) = mpsc::channel();
        let order = Order { command, reply };
        STARTER
            .send(order)
            .expect("the starter lives as long as the process");
        started
            .recv()
            .expect("the starter answers each order")
            .map(Self)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The child's standard output, once, if it was piped.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// The child's standard error, once, if it was piped.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.0.stderr.take()
    }

    /// How the child ended, if it has.
    ///
    /// # Errors
    /// When the operating system cannot say.
    pub fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Waits until the child ends by itself; `None` when it still runs after `patience`.
    ///
    /// # Errors
    /// When the operating system cannot say.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + patience;
        loop {
            match self.exited()? {
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                answer => return Ok(answer),
            }
        }
    }
}

impl Drop for OwnedChild {
    /// Kills at once (`SIGKILL`) and reaps.
    fn drop(&mut self) {
        // It fails only for a child that has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A wish for a child process.
struct Order {
    command: Command,
    reply: Sender<io::Result<Child>>,
}

/// The one thread that starts all children. The kernel's parent-death signal comes when the *thread* that started the child ends, so this
/// must be one that ends only with the process.
static STARTER: LazyLock<Sender<Order>> = LazyLock::new(|| {
    let (orders, inbox) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for mut order in inbox {
            // An orderer that is gone needs no answer; dropping the child unkilled cannot happen, as `spawn` waits for it.
            let _ = order.reply.send(order.command.spawn());
        }
    });
    orders
});

/// Asks the kernel to kill the child when this process dies, even by a signal that it cannot catch.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "the hook runs between fork and exec, where only async-signal-safe calls are sound: it makes two plain system calls"
)]
fn end_with_us(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    let parent = rustix::process::getpid();
    let hook = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the line above.
        if getppid() == Some(parent) {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: see the reason above; the hook neither allocates nor locks.
    unsafe { command.pre_exec(hook) };
}

/// Elsewhere a child is ended by `Drop` alone.
#[cfg(not(target_os = "linux"))]
fn end_with_us(_: &mut Command) {}
