//! A value of a Parquet file as JSON: numbers stay numbers, dates and times become RFC 3339, bytes base64, nulls in structs
//! are left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::data_type::Decimal;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::{Map, Number, Value};

/// Nanoseconds and microseconds of a second.
const NANOS: i64 = 1_000_000_000;
const MICROS: i64 = 1_000_000;

/// Decimal digits of the largest numbers of 16 bytes.
const MOST_DIGITS: usize = 38;

/// Write a value of a column, or of a field of a struct, of this type.
pub fn json(field: &Field, kind: &Type) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::Bool(*value),
        Field::Byte(value) => Value::from(*value),
        Field::Short(value) => Value::from(*value),
        Field::Int(value) => Value::from(*value),
        Field::Long(value) => match nanoseconds(kind) {
            true => moment(value.div_euclid(NANOS), value.rem_euclid(NANOS)),
            false => Value::from(*value),
        },
        Field::UByte(value) => Value::from(*value),
        Field::UShort(value) => Value::from(*value),
        Field::UInt(value) => Value::from(*value),
        Field::ULong(value) => Value::from(*value),
        Field::Float16(value) => number(f64::from(*value)),
        Field::Float(value) => short(*value),
        Field::Double(value) => number(*value),
        Field::Decimal(value) => decimal(value),
        Field::Str(value) => Value::String(value.clone()),
        Field::Bytes(value) => Value::String(STANDARD.encode(value.data())),
        Field::Date(days) => date(*days),
        Field::TimeMillis(value) => time(i64::from(*value) * 1000),
        Field::TimeMicros(value) => time(*value),
        Field::TimestampMillis(value) => moment(value.div_euclid(1000), value.rem_euclid(1000) * (NANOS / 1000)),
        Field::TimestampMicros(value) => moment(value.div_euclid(MICROS), value.rem_euclid(MICROS) * (NANOS / MICROS)),
        Field::Group(row) => Value::Object(fields(row, kind)),
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(|one| json(one, element(kind))).collect()),
        Field::MapInternal(map) => {
            let key = |key: &Field| match json(key, kind) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            map.entries().iter().map(|(name, value)| (key(name), json(value, kind))).collect()
        }
    }
}

fn fields(row: &Row, kind: &Type) -> Map<String, Value> {
    let kinds = if kind.is_group() { kind.get_fields() } else { &[] };
    let of = |name: &str| kinds.iter().find(|one| one.name() == name).map_or(kind, |one| one.as_ref());
    let there = row.get_column_iter().filter(|(_, field)| !matches!(field, Field::Null));
    there.map(|(name, field)| (name.clone(), json(field, of(name)))).collect()
}

/// The type of a list's elements, which stands below groups with one field each.
fn element(kind: &Type) -> &Type {
    let mut kind = kind;
    for _ in 0..2 {
        match if kind.is_group() { kind.get_fields() } else { &[] } {
            [only] => kind = only,
            _ => break,
        }
    }
    kind
}

fn nanoseconds(kind: &Type) -> bool {
    matches!(kind.get_basic_info().logical_type_ref(), Some(LogicalType::Timestamp(time)) if time.unit == TimeUnit::NANOS)
}

/// JSON has no word for NaN and the infinities.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// The shortest decimal that is this number: 0.1, not 0.10000000149011612.
fn short(value: f32) -> Value {
    value.to_string().parse().map_or(Value::Null, number)
}

/// As the number that it is where that is exact, else as a string.
fn decimal(value: &Decimal) -> Value {
    let bytes = value.data();
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1_i128 } else { 0 };
    let scale = usize::try_from(value.scale()).unwrap_or(usize::MAX);
    if bytes.len() > 16 || scale > MOST_DIGITS {
        return Value::String(format!("0x{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    }
    let whole = bytes.iter().fold(start, |sum, byte| sum << 8 | i128::from(*byte));
    let digits = format!("{:0>width$}", whole.unsigned_abs(), width = scale + 1);
    let (before, after) = digits.split_at(digits.len().saturating_sub(scale));
    let sign = if whole < 0 { "-" } else { "" };
    let text = if after.is_empty() { format!("{sign}{before}") } else { format!("{sign}{before}.{after}") };
    match serde_json::from_str::<Number>(&text) {
        Ok(number) if digits.trim_start_matches('0').len() <= 15 => Value::Number(number),
        _ => Value::String(text),
    }
}

fn date(days: i32) -> Value {
    let start = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap_or_default();
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let date = if days < 0 { start.checked_sub_days(distance) } else { start.checked_add_days(distance) };
    date.map_or(Value::Null, |date| Value::String(date.to_string()))
}

fn time(microseconds: i64) -> Value {
    let (time, _) = NaiveTime::MIN.overflowing_add_signed(TimeDelta::microseconds(microseconds));
    Value::String(time.to_string())
}

fn moment(seconds: i64, nanoseconds: i64) -> Value {
    let time = u32::try_from(nanoseconds).ok().and_then(|nanoseconds| DateTime::from_timestamp(seconds, nanoseconds));
    time.map_or(Value::Null, |time| Value::String(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
}
