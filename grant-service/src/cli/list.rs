//! `hallpass-grants list`: what I asked for, what waits for me, what is granted.

use clap::ValueEnum;
use hallpass_grants::clock::Clock;

use super::failure::{Failure, Outcome};
use super::remote::Remote;
use super::show;

/// What to list.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to list
    #[arg(value_enum)]
    what: What,
    /// Grants of this subject, for auditors; like the other choices only with `grants`
    #[arg(long)]
    subject: Option<String>,
    /// The subject's issuer
    #[arg(long, requires = "subject")]
    issuer: Option<String>,
    /// Grants on this resource, for auditors
    #[arg(long)]
    resource: Option<String>,
    /// Everybody's grants, for auditors
    #[arg(long)]
    all: bool,
    /// Only grants that count now
    #[arg(long)]
    live: bool,
    /// Prints the service's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// What you have asked for, the latest first
    Requests,
    /// What you could decide on now, the oldest first
    Approvals,
    /// Your grants, or those of others that you may see
    Grants,
}

pub(super) fn run(args: &Args) -> Outcome {
    // Left unsaid, whoever asked for less would take what is listed for that.
    if args.what != What::Grants
        && let Some((option, _)) = args.which_grants().first()
    {
        return Err(Failure::Usage(format!(
            "--{option} chooses among grants: leave it out, or say `hallpass-grants list grants`"
        )));
    }
    let service = args.remote.service()?;
    let requests = ["access", "v1", "requests"];
    let answer = match args.what {
        What::Requests => service.get(&requests, &[("for", "me")])?,
        What::Approvals => service.get(&requests, &[("for", "approval")])?,
        What::Grants => service.get(&["access", "v1", "grants"], &args.which_grants())?,
    };
    if args.json {
        return show::json(&answer);
    }
    let now = Clock::system().now();
    let member = |name: &str| answer[name].as_array().map_or(&[][..], Vec::as_slice);
    match args.what {
        What::Requests => {
            let none = "you have asked for nothing: `hallpass-grants request RESOURCE ACTION --reason TEXT` asks";
            show::requests(member("requests"), none, now)
        }
        What::Approvals => {
            let requests = member("requests");
            show::requests(requests, "nothing waits for you", now)?;
            if !requests.is_empty() {
                show::hint(
                    "`hallpass-grants approve REQUEST` or `hallpass-grants deny REQUEST --why TEXT` decides",
                );
            }
            Ok(())
        }
        What::Grants => show::grants(member("grants"), "there are no such grants", now),
    }
}

impl Args {
    fn which_grants(&self) -> Vec<(&str, &str)> {
        let named = [
            ("subject", self.subject.as_deref()),
            ("issuer", self.issuer.as_deref()),
            ("resource", self.resource.as_deref()),
            ("all", self.all.then_some("true")),
            ("live", self.live.then_some("true")),
        ];
        let given = |(name, value): (&'static str, Option<_>)| Some((name, value?));
        named.into_iter().filter_map(given).collect()
    }
}
