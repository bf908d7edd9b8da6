//! Where media files lie: a folder of this machine, or a bucket that speaks S3. What is stored under which key, and until
//! when, is the database's to say (`sweep`, and `vw.doomed_media`).

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use axum::body::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{Attribute, Attributes, GetOptions, GetResult, ObjectStore, ObjectStoreExt, PutOptions};
use reqwest::Method;
use url::Url;

use super::Format;
use super::link::{self, Refused};
use super::ring::Ring;

/// How many objects are deleted at one time.
const DELETES: usize = 16;

/// How long the store may take for one object.
const PATIENCE: Duration = Duration::from_secs(30);

/// A store of media; cheap to clone.
#[derive(Clone)]
pub enum Store {
    Folder(Folder),
    Bucket(Bucket),
}

/// A folder: files below `objects`, and the secrets of content URLs.
#[derive(Clone)]
pub struct Folder {
    files: LocalFileSystem,
    ring: Arc<RwLock<Ring>>,
}

/// A bucket, or what lies in it below a prefix.
#[derive(Clone)]
pub struct Bucket {
    client: AmazonS3,
    prefix: Path,
}

/// The result of what a store is asked for.
pub type Result<T> = object_store::Result<T>;

impl Store {
    /// Open a folder, which is made where it is missing, or `s3://bucket/prefix`. Credentials, region and endpoint of a
    /// bucket come from the variables that AWS's own tools read: AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT_URL and so on.
    pub fn open(place: &str) -> anyhow::Result<Store> {
        if let Some(rest) = place.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let client = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
            let client = client.with_context(|| format!("the bucket {bucket} cannot be used"))?;
            let prefix = Path::parse(prefix).with_context(|| format!("{place}: not a prefix"))?;
            return Ok(Store::Bucket(Bucket { client, prefix }));
        }
        let folder = PathBuf::from(place);
        let objects = folder.join("objects");
        fs::create_dir_all(&objects).with_context(|| format!("the folder {} cannot be made", objects.display()))?;
        let files = LocalFileSystem::new_with_prefix(&objects)?.with_automatic_cleanup(true).with_fsync(true);
        let ring = Arc::new(RwLock::new(Ring::open(folder.join("keys"))?));
        Ok(Store::Folder(Folder { files, ring }))
    }

    fn object(&self, key: &str) -> (&dyn ObjectStore, Path) {
        match self {
            Store::Folder(folder) => (&folder.files, Path::from(key)),
            Store::Bucket(bucket) => (&bucket.client, bucket.path(key)),
        }
    }

    /// Store a file; when this returns it is there after a crash, too.
    pub async fn put(&self, key: &str, format: Format, bytes: Bytes) -> Result<()> {
        let (store, path) = self.object(key);
        let mut options = PutOptions::default();
        if matches!(self, Store::Bucket(_)) {
            options.attributes = Attributes::from_iter([
                (Attribute::ContentType, format.media_type()),
                (Attribute::ContentDisposition, "attachment"),
            ]);
        }
        patiently(store.put_opts(&path, bytes.into(), options)).await.map(|_| ())
    }

    /// Read a file, or a part of it that begins inside it.
    pub async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<GetResult> {
        let (store, path) = self.object(key);
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        patiently(store.get_opts(&path, options)).await
    }

    /// Delete files; those that are not there count as deleted. A key that ends in `/` stands for all that begin with it.
    pub async fn delete(&self, keys: &[String]) -> Result<()> {
        let deletions: Vec<_> = keys.iter().map(|key| self.delete_key(key)).collect();
        stream::iter(deletions).buffer_unordered(DELETES).try_collect().await
    }

    async fn delete_key(&self, key: &str) -> Result<()> {
        match key.strip_suffix('/') {
            Some(prefix) => self.delete_below(prefix).await,
            None => self.delete_one(key).await,
        }
    }

    async fn delete_one(&self, key: &str) -> Result<()> {
        let (store, path) = self.object(key);
        if let Store::Folder(folder) = self {
            // What a service left that was killed while it wrote; such a file is under a name of its own until it is whole.
            let mut draft = folder.files.path_to_filesystem(&path)?.into_os_string();
            draft.push("#1");
            gone(fs::remove_file(draft))?;
        }
        match patiently(store.delete(&path)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            outcome => outcome,
        }
    }

    async fn delete_below(&self, prefix: &str) -> Result<()> {
        match self {
            Store::Folder(folder) => {
                let place = folder.files.path_to_filesystem(&Path::from(prefix))?;
                let removed = tokio::task::spawn_blocking(move || fs::remove_dir_all(place)).await;
                gone(removed.unwrap_or_else(|error| Err(std::io::Error::other(error))))
            }
            Store::Bucket(bucket) => {
                let path = bucket.path(prefix);
                let listed = bucket.client.list(Some(&path)).map_ok(|object| object.location).boxed();
                bucket.client.delete_stream(listed).try_for_each(|_| async { Ok(()) }).await
            }
        }
    }

    /// Give a URL at which anyone reads a file for as long as `life`. `origin` is where this service is reached.
    pub async fn url(&self, key: &str, life: Duration, origin: &str) -> Result<String> {
        match self {
            Store::Folder(folder) => {
                let ring = folder.ring.read().unwrap_or_else(PoisonError::into_inner);
                let signed = link::sign(&ring, key, now().saturating_add(life.as_secs()));
                signed.map(|path| format!("{origin}{path}")).ok_or_else(|| failure("there is no secret".into()))
            }
            Store::Bucket(bucket) => {
                let url: Url = bucket.client.signed_url(Method::GET, &bucket.path(key), life).await?;
                Ok(url.into())
            }
        }
    }

    /// Check a content URL that this service is asked for; gives the seconds for which it stays good.
    pub fn verify(&self, key: &str, query: &str) -> std::result::Result<u64, Refused> {
        let Store::Folder(folder) = self else { return Err(Refused::Forged) };
        let ring = || folder.ring.read().unwrap_or_else(PoisonError::into_inner);
        let verdict = link::verify(&ring(), key, query, now());
        if verdict != Err(Refused::Forged) {
            return verdict;
        }
        // Another service of this folder may have a newer secret.
        self.refresh();
        link::verify(&ring(), key, query, now())
    }

    /// Read the secrets again.
    pub fn refresh(&self) {
        let Store::Folder(folder) = self else { return };
        if let Err(error) = folder.ring.write().unwrap_or_else(PoisonError::into_inner).reload() {
            tracing::warn!("the secrets of content URLs cannot be read: {error:#}");
        }
    }

    /// Make a new secret for content URLs; false where the store has none of ours.
    pub fn rotate(&self) -> anyhow::Result<bool> {
        let Store::Folder(folder) = self else { return Ok(false) };
        folder.ring.write().unwrap_or_else(PoisonError::into_inner).rotate().map(|()| true)
    }
}

impl Bucket {
    fn path(&self, key: &str) -> Path {
        Path::from_iter(self.prefix.parts().chain(Path::from(key).parts()))
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

async fn patiently<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(failure("no answer in time".into())))
}

fn failure(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "media", source }
}

/// A file that is not there is as good as a file that was removed.
fn gone(removed: std::io::Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failure(error.into())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    //! Guards that deleting leaves nothing behind, and that a key reaches no file outside the folder.
    use super::*;

    fn files(folder: &std::path::Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
        }
        found
    }

    #[tokio::test]
    async fn files_come_and_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        let objects = folder.path().join("objects");
        for key in ["p/c/1", "p/c/2", "p/d/1"] {
            store.put(key, Format::Png, Bytes::from_static(b"0123456789")).await.expect("stored");
        }
        let part = store.get("p/c/1", Some(2..5)).await.expect("there").bytes().await.expect("bytes");
        assert_eq!(part.as_ref(), b"234");
        fs::write(objects.join("p/c/3#1"), b"half").expect("a draft");
        store.delete(&["p/c/1".to_owned(), "p/c/3".to_owned(), "p/c/9".to_owned()]).await.expect("deleted");
        assert!(matches!(store.get("p/c/1", None).await, Err(object_store::Error::NotFound { .. })));
        assert_eq!(files(&objects).len(), 2);
        fs::write(objects.join("p/c/4#1"), b"half").expect("a draft");
        store.delete(&["p/c/".to_owned(), "p/x/".to_owned()]).await.expect("deleted");
        assert_eq!(files(&objects), [objects.join("p/d/1")]);
        store.delete(&["p/d/1".to_owned()]).await.expect("deleted");
        assert!(files(&objects).is_empty());
    }

    #[tokio::test]
    async fn keys_stay_inside() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        for key in ["../keys", "%2e%2e/keys", "a/../../keys", "/../keys", "..", ""] {
            assert!(store.get(key, None).await.is_err(), "{key}");
        }
    }
}
