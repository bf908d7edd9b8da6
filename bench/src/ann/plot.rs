//! The curves as a picture (SVG): recall from left to right, queries a second upwards, both stretched where it matters.

use std::fmt::Write;

use super::report::{Row, curves};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
/// The edges of the field: left, right, top, bottom.
const FIELD: (f64, f64, f64, f64) = (70.0, 620.0, 40.0, 460.0);
const RECALLS: &[f64] = &[0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
/// Colours that people with any sight can tell apart: <https://jfly.uni-koeln.de/color/>.
const COLOURS: &[&str] =
    &["#000000", "#d55e00", "#e69f00", "#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#7f7f7f", "#f0e442"];

/// Draw the curves of one client.
pub fn svg(title: &str, rows: &[Row]) -> String {
    let rates = || rows.iter().map(|row| row.one.log10());
    let low = rates().fold(f64::INFINITY, f64::min).floor();
    let high = rates().fold(f64::NEG_INFINITY, f64::max).ceil().max(low + 1.0);
    let y = |rate: f64| FIELD.3 - (FIELD.3 - FIELD.2) * (rate.log10() - low) / (high - low);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"24\" font-size=\"15\">{}</text>\n",
        FIELD.0,
        plain(title)
    );
    axes(&mut text, low as i32..=high as i32, &y);
    for (number, curve) in curves(rows).into_iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let points: Vec<(f64, f64)> =
            rows.iter().filter(|row| row.curve == curve).map(|row| (x(row.recall), y(row.one))).collect();
        line(&mut text, colour, &points);
        let at = FIELD.2 + 20.0 * number as f64;
        let _ = writeln!(
            text,
            "<circle cx=\"{}\" cy=\"{at}\" r=\"4\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{}</text>",
            FIELD.1 + 24.0,
            FIELD.1 + 34.0,
            at + 4.0,
            plain(curve)
        );
    }
    text.push_str("</svg>\n");
    text
}

/// Where a recall is: as far to the right as there are nines.
fn x(recall: f64) -> f64 {
    let stretch = |recall: f64| -(1.0 - recall).log10();
    let (least, most) = (stretch(RECALLS[0]), stretch(RECALLS[RECALLS.len() - 1]));
    let share = (stretch(recall.min(0.9995)) - least) / (most - least);
    FIELD.0 + (FIELD.1 - FIELD.0) * share.clamp(0.0, 1.0)
}

fn axes(text: &mut String, powers: std::ops::RangeInclusive<i32>, y: &dyn Fn(f64) -> f64) {
    let (left, right, top, bottom) = FIELD;
    for recall in RECALLS {
        let at = x(*recall);
        let _ = writeln!(
            text,
            "<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{recall}</text>",
            bottom + 18.0
        );
    }
    for power in powers {
        let rate = 10_f64.powi(power);
        let at = y(rate);
        let _ = writeln!(
            text,
            "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{rate}</text>",
            left - 8.0,
            at + 4.0
        );
    }
    let middle = (left + right) / 2.0;
    let _ = writeln!(
        text,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">recall@10</text>\n\
         <text x=\"18\" y=\"{}\" transform=\"rotate(-90 18 {1})\" text-anchor=\"middle\">queries a second</text>",
        bottom + 42.0,
        (top + bottom) / 2.0
    );
}

fn line(text: &mut String, colour: &str, points: &[(f64, f64)]) {
    let corners: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>",
        corners.join(" ")
    );
    for (x, y) in points {
        let _ = writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

/// Text that stands for itself.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_goes_to_the_right_and_stays_in_the_field() {
        let places = [0.0, 0.5, 0.9, 0.99, 0.999, 1.0].map(x);
        assert!(places.is_sorted() && places[0] == FIELD.0 && places[5] == FIELD.1, "{places:?}");
        assert!(places[2] < places[3]);
    }

    #[test]
    fn every_curve_is_drawn() {
        let row = |curve, recall| Row {
            curve,
            ours: false,
            setting: String::new(),
            recall,
            one: 100.0,
            two: None,
            p50: 1.0,
            p99: 1.0,
            work: None,
            other: None,
        };
        let drawn = svg("a < b", &[row("one", 0.9), row("one", 1.0), row("two", 0.95)]);
        assert_eq!(drawn.matches("<polyline").count(), 2);
        assert!(drawn.contains("a &lt; b") && drawn.ends_with("</svg>\n") && !drawn.contains("NaN"));
    }
}
