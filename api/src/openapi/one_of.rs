//! The rule that a derived schema cannot say: an item or a query carries exactly one of five inputs, where null is none.

use utoipa::openapi::schema::{AllOfBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{OpenApi, RefOr};

/// The schemas that have the five fields.
const SCHEMAS: [&str; 2] = ["NewItem", "Search"];

const INPUTS: [&str; 5] = ["image", "image_base64", "text", "audio", "audio_base64"];

/// Add the rule to the schemas that it is for.
pub fn require_one_input(api: &mut OpenApi) {
    let Some(components) = &mut api.components else { return };
    for name in SCHEMAS {
        if let Some(RefOr::T(Schema::Object(own))) = components.schemas.get(name).cloned() {
            components.schemas.insert(name.to_owned(), with_one_input(own));
        }
    }
}

fn with_one_input(mut own: Object) -> RefOr<Schema> {
    let description = own.description.take();
    let present = |name: &str| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        ObjectBuilder::new().property(name, text).required(name)
    };
    let one = INPUTS.iter().fold(OneOfBuilder::new(), |one, name| one.item(present(name)));
    AllOfBuilder::new().description(description).item(own).item(one).into()
}
