//! Printing: one row for each way, its measurement, and its ratio to the way that it is compared with.

/// A way's name, its measurement, and the reference measurement that it is divided by.
pub struct Row<'a> {
    pub name: &'a str,
    pub value: f64,
    pub reference: Option<f64>,
}

/// Lay the rows out under `unit`; a ratio above 1 means more of the unit than the reference.
pub fn render(unit: &str, rows: &[Row]) -> String {
    let mut text = format!("  {:<44} {unit:>12} {:>8}\n", "", "ratio");
    for Row { name, value, reference } in rows {
        let ratio = reference.map_or_else(|| "-".to_owned(), |reference| format!("{:.2}", value / reference));
        text.push_str(&format!("  {name:<44} {value:>12.1} {ratio:>8}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_reference() {
        let rows = [
            Row { name: "raw", value: 200.0, reference: None },
            Row { name: "ours", value: 150.0, reference: Some(200.0) },
        ];
        let text = render("texts/s", &rows);
        assert!(text.contains("150.0     0.75") && text.contains("200.0        -"), "{text}");
    }
}
