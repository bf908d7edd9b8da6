//! Guards against graphs that read files outside of their pack or run operators of unknown origin, and against
//! files that are no ONNX at all. The files are written field by field here.

use super::*;

/// A length-delimited field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut field = vec![number << 3 | 2];
    while length > 0x7F {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    [field, bytes.to_vec()].concat()
}

/// A field whose number takes two bytes of tag.
fn far(number: u16, bytes: &[u8]) -> Vec<u8> {
    let tag = number << 3 | 2;
    let mut field = field(0, bytes);
    field.splice(..1, [tag as u8 | 0x80, (tag >> 7) as u8]);
    field
}

fn slot(name: &str, extents: &[Option<u8>]) -> Vec<u8> {
    let dim = |extent: &Option<u8>| field(1, &extent.map_or(field(2, b"batch"), |extent| vec![8, extent]));
    let shape = extents.iter().flat_map(dim).collect::<Vec<_>>();
    let tensor = [vec![8, 1], field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn node(operator: &str, domain: &str, attributes: &[u8]) -> Vec<u8> {
    let own = [field(1, b"x"), field(4, operator.as_bytes()), field(7, domain.as_bytes()), attributes.to_vec()];
    field(1, &own.concat())
}

fn external(location: &str) -> Vec<u8> {
    let entry = |key: &str, value: &str| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat());
    [field(8, b"w"), entry("location", location), entry("offset", "0"), vec![14 << 3, 1]].concat()
}

fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    let output = field(12, &slot("y", &[None, Some(8)]));
    [vec![8, 8], field(7, &[graph.concat(), output].concat())].concat()
}

fn read(bytes: &[u8]) -> Result<Outline, String> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("weights"), "1234").expect("it can be written");
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link")).expect("it can be linked");
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).expect("it can be written");
    Outline::read(&path).map_err(|failure| failure.message)
}

#[test]
fn inputs_outputs_and_weights_are_found_and_initializers_are_no_inputs() {
    let inputs = [field(11, &slot("input_ids", &[None, None])), field(11, &slot("w", &[Some(2)]))];
    let graph = [inputs.concat(), field(5, &external("weights")), node("MatMul", "", &[])];
    let outline = read(&model(&graph)).expect("it is in order");
    assert_eq!(outline.inputs, [Slot { name: "input_ids".to_owned(), extents: vec![None, None] }]);
    assert_eq!(outline.outputs, [Slot { name: "y".to_owned(), extents: vec![None, Some(8)] }]);
    assert_eq!(outline.external, BTreeSet::from(["weights".to_owned()]));
    assert!(!outline.dynamic);
    assert!(read(&model(&[node("MatMulInteger", "", &[])])).expect("it is in order").dynamic);
}

#[test]
fn weights_outside_of_the_pack_are_refused_wherever_they_are_named() {
    for location in ["../weights", "/etc/hostname", "link", "missing", "a/../../weights", ""] {
        let tensor = external(location);
        let attribute = |inside: Vec<u8>| field(5, &[field(1, b"value"), inside].concat());
        let nested = field(6, &node("Constant", "", &attribute(field(5, &tensor))));
        let sparse = far(22, &field(1, &tensor));
        let places = [
            field(5, &tensor),
            node("Constant", "", &attribute(field(5, &tensor))),
            node("If", "", &attribute(nested)),
            node("Constant", "", &attribute(sparse)),
            field(15, &field(2, &tensor)),
        ];
        for place in places {
            let message = read(&model(&[place])).expect_err(location);
            assert!(message.contains("no file of the pack"), "{message}");
        }
    }
}

#[test]
fn operators_of_unknown_domains_are_refused_unless_the_model_defines_them() {
    let foreign = node("Steal", "evil.ops", &[]);
    assert!(read(&model(std::slice::from_ref(&foreign))).expect_err("unknown").contains("evil.ops"));
    assert!(read(&model(&[node("Gelu", "com.microsoft", &[])])).is_ok());
    assert!(
        read(&model(&[node("EPContext", "com.microsoft", &[])])).expect_err("it reads files").contains("EPContext")
    );
    let function = far(25, &[field(1, b"Steal"), field(10, b"evil.ops")].concat());
    assert!(read(&[model(&[foreign]), function].concat()).is_ok());
}

#[test]
fn what_is_not_onnx_is_refused() {
    let good = model(&[node("MatMul", "", &[])]);
    for bad in
        [&b""[..], b"not onnx", &good[..good.len() - 1], &[0xFF; 64], &[good.clone(), vec![7 << 3 | 2, 0xFF]].concat()]
    {
        assert!(read(bad).is_err(), "{bad:?}");
    }
    let mut deep = node("If", "", &[]);
    for _ in 0..40 {
        deep = node("If", "", &field(5, &field(6, &deep)));
    }
    assert!(read(&model(&[deep])).expect_err("too deep").contains("nested"));
}
