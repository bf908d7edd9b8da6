//! `make run`: the server, the service and a demo collection on this machine, until Ctrl-C.
//!
//! Everything it makes lies in VW_HOME. It is safe to kill: children end with us, and the next start tidies up.

mod data;
mod lock;
mod service;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cluster::Cluster;
use crate::paths::{home, major};
use crate::shell::say;
use crate::{install, prereqs, process, server};

use service::Service;

/// Settings of the cluster; where its socket is, the cluster adds.
const SETTINGS: &str = include_str!("postgresql.conf");
/// How often the children are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Build, start, tell how to use it, and wait for Ctrl-C or the end of a child.
pub fn run() -> Result<()> {
    let home = home();
    let port = port()?;
    let _lock = lock::take(&home)?;
    check_port(port)?;
    prereqs::ensure()?;
    let pg_config = server::ensure()?;
    let cluster = Cluster::new(&pg_config, &home)?;
    check_major(&cluster, major(&pg_config)?)?;
    let program = install::all(&pg_config, &home.join("bin"))?;
    if cluster.major().is_none() {
        say("making a cluster");
        data::forget(&home)?;
        cluster.initialise()?;
    }
    let stop = on_signal()?;
    say("starting the cluster");
    let mut server = cluster.start(SETTINGS)?;
    let outcome = serve(&cluster, &mut server, &Service::new(program, &cluster, port, &home), &stop);
    say("stopping the cluster");
    cluster.stop(&mut server)?;
    outcome
}

/// Fill the cluster, run the service, and stop it at the end.
fn serve(
    cluster: &Cluster,
    server: &mut std::process::Child,
    service: &Service<'_>,
    stop: &Receiver<()>,
) -> Result<()> {
    let demo = data::fill(cluster)?;
    let key = data::key(&home(), service)?;
    if stop.try_recv().is_ok() {
        return Ok(());
    }
    say("starting the service");
    let mut running = service.start()?;
    let outcome = service.wait_ready(&mut running, stop).and_then(|ready| {
        if !ready {
            return Ok(());
        }
        service.import_media(&key, &home())?;
        print!("{}", service.greeting(&key, &demo));
        watch(cluster, server, service, &mut running, stop)
    });
    say("stopping the service");
    service.stop(&mut running)?;
    outcome
}

/// Wait for a signal; fail when a child ends by itself.
fn watch(
    cluster: &Cluster,
    server: &mut std::process::Child,
    service: &Service<'_>,
    running: &mut std::process::Child,
    stop: &Receiver<()>,
) -> Result<()> {
    loop {
        if stop.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return Ok(());
        }
        let children = [("cluster", server.try_wait()?, &cluster.log), ("service", running.try_wait()?, &service.log)];
        for (what, status, log) in children {
            if let Some(status) = status {
                let end = process::tail(log);
                bail!("the {what} ended by itself ({status}); its log, {}, ends with\n{end}", log.display());
            }
        }
    }
}

/// The service's port: VW_PORT, or 8080.
fn port() -> Result<u16> {
    match std::env::var("VW_PORT") {
        Ok(text) => text.parse().with_context(|| format!("VW_PORT must be a port number, not \"{text}\"")),
        Err(_) => Ok(8080),
    }
}

/// See that nothing else listens there, before anything is built.
fn check_port(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    listener.map(drop).with_context(|| format!("port {port} of 127.0.0.1 cannot be had; choose another with VW_PORT=…"))
}

/// A data folder opens only with the major version that made it.
fn check_major(cluster: &Cluster, major: u32) -> Result<()> {
    match cluster.major() {
        Some(made) if made != major => bail!(
            "the cluster in {} was made by PostgreSQL {made}, and the machine's server is now {major}; \
             pg_upgrade the cluster, or move that folder away to begin with an empty one",
            home().join("data").display()
        ),
        _ => Ok(()),
    }
}

/// A channel that gets a message for each SIGINT, SIGTERM and SIGHUP from now on.
fn on_signal() -> Result<Receiver<()>> {
    let (sender, receiver) = channel();
    ctrlc::set_handler(move || {
        // Nobody listens once we are stopping already.
        let _ = sender.send(());
    })
    .context("cannot handle signals")?;
    Ok(receiver)
}
