//! The grammar of filters on metadata (docs/filter.md) as a schema. `requests::filter` is what checks them.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Ref, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// A filter, or a group of filters.
pub struct Filter;

/// What is asked of one field.
struct Operators;

/// Names joined by single dots, at most eight; a backslash makes a dot part of a name. A field's first sign is no dollar.
const NAMES: &str = r"^(\$and|\$or|\$not|(\\\.|[^.$\u0000])(\\\.|[^.\u0000])*(\.(\\\.|[^.\u0000])+){0,7})$";

impl ToSchema for Filter {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Filter")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("FilterOperators".to_owned(), Operators::schema()));
    }
}

impl PartialSchema for Filter {
    fn schema() -> RefOr<Schema> {
        let own = || Ref::from_schema_name("Filter");
        let several = || ArrayBuilder::new().items(own()).min_items(Some(1));
        let asked = OneOfBuilder::new().item(scalar()).item(Ref::from_schema_name("FilterOperators")).build();
        ObjectBuilder::new()
            .description(Some("What metadata must fit: all members hold. At most 16 KiB, groups in groups 8 deep."))
            .property("$and", several())
            .property("$or", several())
            .property("$not", own())
            .property_names(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(NAMES))))
            .additional_properties(Some(Schema::from(asked)))
            .into()
    }
}

impl PartialSchema for Operators {
    fn schema() -> RefOr<Schema> {
        let ordered = || of_types(&[Type::Number, Type::String]);
        let values = || -> Array { ArrayBuilder::new().items(scalar()).build() };
        let operators = ObjectBuilder::new()
            .description(Some("What is asked of a field: all members hold."))
            .min_properties(Some(1))
            .property("$eq", scalar())
            .property("$ne", scalar())
            .property("$in", values())
            .property("$nin", values());
        let operators =
            ["$gt", "$gte", "$lt", "$lte"].iter().fold(operators, |all, name| all.property(*name, ordered()));
        operators
            .property("$exists", of_types(&[Type::Boolean]))
            .property("$not", Ref::from_schema_name("FilterOperators"))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .into()
    }
}

fn scalar() -> Object {
    of_types(&[Type::String, Type::Number, Type::Boolean, Type::Null])
}

fn of_types(types: &[Type]) -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Array(types.to_vec())).build()
}
