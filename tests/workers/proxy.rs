//! A wire between a process and a server that can be cut, and mended again.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The name that PostgreSQL gives its socket.
const SOCKET: &str = ".s.PGSQL.5432";

pub struct Proxy {
    folder: tempfile::TempDir,
    wire: Arc<Wire>,
}

struct Wire {
    server: PathBuf,
    is_cut: AtomicBool,
    open: Mutex<Vec<UnixStream>>,
}

impl Proxy {
    /// A wire to the server whose socket is in a folder.
    pub fn start(server: &Path) -> Proxy {
        let folder = tempfile::Builder::new().prefix("carafe-wire-").tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let wire = Arc::new(Wire {
            server: server.join(SOCKET),
            is_cut: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let accepting = wire.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.connect(client);
            }
        });
        Proxy { folder, wire }
    }

    /// The folder that stands for the server's.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn cut(&self) {
        self.wire.is_cut.store(true, Ordering::SeqCst);
        for stream in self.wire.open.lock().expect("not poisoned").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn mend(&self) {
        self.wire.is_cut.store(false, Ordering::SeqCst);
    }
}

impl Wire {
    fn connect(&self, client: UnixStream) {
        if self.is_cut.load(Ordering::SeqCst) {
            return;
        }
        let Ok(server) = UnixStream::connect(&self.server) else { return };
        let ends = [client.try_clone(), server.try_clone()].map(|end| end.expect("a socket"));
        self.open.lock().expect("not poisoned").extend(ends);
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
            std::thread::spawn(move || {
                let mut bytes = [0; 16 * 1024];
                while let Ok(length @ 1..) = from.read(&mut bytes) {
                    if to.write_all(&bytes[..length]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }
}
