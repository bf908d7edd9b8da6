//! An index request, from its checked items to the report: media gathered and stored first, then one statement for all.

use axum::body::Bytes;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::app::App;
use crate::db;
use crate::error::{Code, Error, ItemError, Result};
use crate::media::forms::Source;
use crate::media::gather::{Gathered, Ready, Wanted};
use crate::requests::{Input, Kind, NewItem, NewItems};
use crate::types::{IndexReport, Indexed, Usage, get};
use crate::{sqlstate, statement};

/// Index items in a collection; where `atomic`, all of them or none.
pub async fn run(app: &App, project: &str, collection: &str, items: NewItems, atomic: bool) -> Result<IndexReport> {
    let NewItems(mut items) = items;
    let of_kind: Vec<Option<Kind>> = items.iter().map(|item| kind(&item.input)).collect();
    let kinds: Vec<&str> = of_kind.iter().map(|kind| kind.map_or("text", Kind::word)).collect();
    let wanted = take_media(&mut items);
    let (keys, gathered) = if wanted.is_empty() {
        (Vec::new(), None)
    } else {
        let row = app.db.one(statement::BEGIN_MEDIA, &[&collection, &kinds, &project]).await?;
        (get(&row, "keys")?, Some(app.media.gather(project, wanted).await?))
    };
    let failed = gathered.as_ref().map(|gathered| gathered.failed.clone()).unwrap_or_default();
    let count = items.len();
    refuse(&failed, count, atomic, &kinds)?;
    let mut columns = Columns::default();
    for (index, item) in items.into_iter().enumerate().filter(|(index, _)| !failed.iter().any(|f| f.index == *index)) {
        let ready = gathered.as_ref().and_then(|gathered| gathered.ready.iter().find(|ready| ready.index == index));
        columns.push(index, item, ready, keys.get(index).cloned().flatten());
    }
    store(app, &keys, gathered.as_ref()).await?;
    let outcome = columns.run(app, project, collection, atomic).await.map_err(|error| undecodable(error, &kinds));
    let report = outcome.and_then(|rows| report(&rows, &columns.places, failed));
    // Those that failed before were counted as they were gathered.
    let undecoded = report.as_ref().map_or_else(|error| &error.items, |report| &report.errors);
    for error in undecoded.iter().filter(|error| error.code == Code::DecodeFailed) {
        of_kind.get(error.index).copied().flatten().inspect(|kind| app.metrics.media_rejected(*kind, error.code));
    }
    let report = report?;
    refuse(&report.errors, count, false, &kinds)?;
    Ok(report)
}

fn kind(input: &Input) -> Option<Kind> {
    match input {
        Input::Text(_) => None,
        Input::Media(kind, _) => Some(*kind),
    }
}

/// Take the media out of the items; what stays there of one is its kind.
fn take_media(items: &mut [NewItem]) -> Vec<Wanted> {
    let media = items.iter_mut().enumerate().filter_map(|(index, item)| match &mut item.input {
        Input::Text(_) => None,
        Input::Media(kind, source) => {
            let source = std::mem::replace(source, Source::Bytes(Vec::new()));
            Some(Wanted { index, kind: *kind, source })
        }
    });
    media.collect()
}

/// Refuse the request as a whole where its items leave no other way, with the words of the first that failed.
fn refuse(failed: &[ItemError], count: usize, atomic: bool, kinds: &[&str]) -> Result<()> {
    let Some(first) = failed.first().filter(|_| atomic || failed.len() == count) else { return Ok(()) };
    let kind = kinds.get(first.index).copied().unwrap_or_default();
    let mut error = Error::new(first.code, first.message.clone()).at(format!("items[{}].{kind}", first.index));
    error.items = failed.to_vec();
    Err(error)
}

/// Store the files before the statement that needs them.
async fn store(app: &App, keys: &[Option<String>], gathered: Option<&Gathered>) -> Result<()> {
    let ready = gathered.map(|gathered| gathered.ready.as_slice()).unwrap_or_default();
    let files = ready.iter().filter_map(|ready| Some((keys.get(ready.index)?.as_deref()?, ready)));
    app.media.keep(files).await
}

/// Name the item for which the database refused all of them. What the client sent was checked before, so what is refused
/// here is what its bytes turned out to be.
fn undecodable(error: Error, kinds: &[&str]) -> Error {
    let place = error.param.as_deref().and_then(|param| param.strip_prefix("items[")?.strip_suffix(']')?.parse().ok());
    let (Code::InvalidRequest, Some(index)) = (error.code, place) else { return error };
    let item = ItemError { index, code: Code::DecodeFailed, message: error.message.clone() };
    let kind = kinds.get(index).copied().unwrap_or_default();
    Error { code: Code::DecodeFailed, items: vec![item], ..error }.at(format!("items[{index}].{kind}"))
}

/// Items as the statement takes them: one column a field, of equal lengths.
#[derive(Default)]
struct Columns {
    /// Where each was in the request.
    places: Vec<usize>,
    texts: Vec<Option<String>>,
    images: Vec<Option<Bytes>>,
    audios: Vec<Option<Bytes>>,
    metadata: Vec<Json<Value>>,
    ids: Vec<Option<String>>,
    keys: Vec<Option<String>>,
    formats: Vec<Option<&'static str>>,
}

impl Columns {
    fn push(&mut self, place: usize, item: NewItem, ready: Option<&Ready>, key: Option<String>) {
        let kind = kind(&item.input);
        let bytes = |wanted| ready.filter(|_| kind == Some(wanted)).map(|ready| ready.bytes.clone());
        self.places.push(place);
        self.images.push(bytes(Kind::Image));
        self.audios.push(bytes(Kind::Audio));
        self.texts.push(match item.input {
            Input::Text(text) => Some(text),
            Input::Media(..) => None,
        });
        self.metadata.push(item.metadata);
        self.ids.push(item.id);
        self.keys.push(key);
        self.formats.push(ready.map(|ready| ready.format.media_type()));
    }

    async fn run(&self, app: &App, project: &str, collection: &str, atomic: bool) -> Result<Vec<Row>> {
        let images: Vec<Option<&[u8]>> = self.images.iter().map(Option::as_deref).collect();
        let audios: Vec<Option<&[u8]>> = self.audios.iter().map(Option::as_deref).collect();
        let keys = self.keys.iter().any(Option::is_some).then_some(&self.keys);
        let values: db::Params = &[
            &collection,
            &self.texts,
            &images,
            &audios,
            &self.metadata,
            &self.ids,
            &project,
            &atomic,
            &keys,
            &self.formats,
        ];
        app.db.rows(statement::INDEX_ITEMS, values).await
    }
}

/// Put together what the statement gave and what failed before it.
fn report(rows: &[Row], places: &[usize], mut errors: Vec<ItemError>) -> Result<IndexReport> {
    let mut items = Vec::new();
    for row in rows {
        let ordinal: i32 = get(row, "ordinal")?;
        let place = usize::try_from(ordinal).ok().and_then(|ordinal| places.get(ordinal.checked_sub(1)?));
        let index = *place.ok_or_else(|| Error::internal("a row without an item"))?;
        match get::<Option<String>>(row, "error_code")? {
            None => items.push(Indexed::from_row(index, row)?),
            Some(state) => {
                errors.push(ItemError { index, code: sqlstate::of_item(&state), message: get(row, "error")? })
            }
        }
    }
    errors.sort_by_key(|error| error.index);
    let first = rows.first().ok_or_else(|| Error::internal("indexing gave no rows"))?;
    let usage = Usage { input_tokens: items.iter().map(|item| i64::from(item.tokens)).sum() };
    Ok(IndexReport { indexed: items.len(), model: get(first, "model_id")?, usage, items, errors })
}
