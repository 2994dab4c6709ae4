//! A JSON schema as sections of fields, for people: what the manual and the reference are made of.

use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value};

/// An object of the schema, or a choice of words.
pub(super) struct Section {
    /// The type's name.
    pub(super) title: String,
    /// What it is.
    pub(super) text: String,
    /// Its fields, or the words that it may be.
    pub(super) fields: Vec<Field>,
}

/// A field of an object.
pub(super) struct Field {
    pub(super) name: String,
    /// What it may be: `number or null`, the name of another section.
    pub(super) form: String,
    /// As JSON.
    pub(super) default: Option<String>,
    pub(super) text: String,
}

impl Field {
    /// What its number counts or is measured in, or the form of its text; empty where it has neither. `of` is the
    /// section's title.
    pub(super) fn unit(&self, of: &str) -> &'static str {
        let is = |form: &str| self.form.split(" or ").any(|one| one == form);
        if is("word") {
            return "";
        }
        let ends = |unit: &str| self.name == unit || self.name.ends_with(&format!("_{unit}"));
        let suffixes =
            [("ms", "ms"), ("ratio", "0 to 1"), ("bps", "bit/s"), ("bytes", "octets"), ("seconds", "s")];
        if let Some((_, unit)) = suffixes.into_iter().find(|(suffix, _)| ends(suffix)) {
            return unit;
        }
        match (of, self.name.as_str()) {
            (_, "at" | "to") => "RFC 3339, UTC",
            (_, "ttl") => "hops",
            (_, "dscp") => "code point",
            ("IcmpErrors" | "PingErrors", "count") => "errors",
            ("LossBursts", "count") => "bursts",
            ("Counts", _)
            | ("LossBursts", _)
            | ("Direction", "lost" | "reordered" | "duplicates" | "ecn_ce") => "packets",
            (_, "burst" | "count" | "lost_unknown") => "packets",
            ("Budget", _) => "runs",
            ("Gap", "lost") => "records",
            ("Probe: udpping", "size") => "octets",
            ("Sketch", "zero") => "values",
            ("Sketch", "bins") => "s",
            (_, "rtt_sketch") => "s",
            ("Scalar" | "Trigger", "value") => "as `unit` says",
            _ if is("uuid") || self.form == "list of uuid" => "RFC 9562",
            _ if self.form.starts_with("string like \"200ms\"") => "time with its unit",
            (_, "restarts") => "times",
            _ => "",
        }
    }
}

impl Section {
    /// The sections of `T`, which is called `title`: its own first, then those that it refers to, by name.
    pub(super) fn of<T: JsonSchema>(title: &str) -> Vec<Self> {
        let schema = schema_for!(T).to_value();
        let types = schema.get("$defs").unwrap_or(&Value::Null);
        let mut sections = section(title, &schema, types);
        if let Value::Object(known) = types {
            sections.extend(known.iter().flat_map(|(name, schema)| section(name, schema, types)));
        }
        sections.retain(|section| !section.fields.is_empty());
        // A type without a section of its own is told where it stands.
        let titles: Vec<String> = sections.iter().map(|section| section.title.clone()).collect();
        let told = |name: &str| match types.get(name) {
            Some(schema) if !titles.iter().any(|title| title == name) => form(schema),
            _ => name.to_owned(),
        };
        for field in sections.iter_mut().flat_map(|section| &mut section.fields) {
            field.form = joined(field.form.split(" or ").map(told));
        }
        sections
    }

    /// The tables of a file of type `T`, by their headings there: `[store]`, `[[autoperf.target]]`.
    pub(super) fn tables<T: JsonSchema>() -> Vec<Self> {
        let schema = schema_for!(T).to_value();
        let mut file = File { types: schema.get("$defs"), told: Vec::new(), sections: Vec::new() };
        file.table("", "", &schema);
        file.sections.retain(|section| !section.fields.is_empty());
        file.sections
    }
}

/// A file's tables, while they are told.
struct File<'a> {
    types: Option<&'a Value>,
    /// Types that have been told, and under which heading.
    told: Vec<(&'a str, String)>,
    sections: Vec<Section>,
}

impl<'a> File<'a> {
    fn table(&mut self, path: &str, heading: &str, schema: &'a Value) {
        let at = self.sections.len();
        self.sections.push(Section { title: heading.to_owned(), text: text(schema), fields: Vec::new() });
        for (name, of) in properties(schema) {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if let Some(field) = self.key(name, &path, of) {
                self.sections[at].fields.push(field);
            }
        }
    }

    /// One key; none where it is a table that gets a section of its own.
    fn key(&mut self, name: &str, path: &str, of: &'a Value) -> Option<Field> {
        let mut field = Field::of(name, of, true);
        let is_list = of.get("items").is_some();
        let found = reference(of).and_then(|known| Some((known, self.types?.get(known)?)));
        let (known, schema) = found.unwrap_or(("", of));
        if properties(schema).next().is_none() {
            field.form = match (is_list, tags(schema)) {
                (_, true) => "list of tables: `kind`, and that kind's options".to_owned(),
                (true, _) if !known.is_empty() => format!("list of {}", words(schema)),
                _ => words(schema),
            };
            return Some(field);
        }
        if let Some((_, heading)) = self.told.iter().find(|(told, _)| !told.is_empty() && *told == known) {
            field.form = format!("as {heading}");
            return Some(field);
        }
        let heading = if is_list { format!("[[{path}]]") } else { format!("[{path}]") };
        self.told.push((known, heading.clone()));
        self.table(path, &heading, schema);
        None
    }
}

/// The type that a value is of, or may be, or is a list of.
fn reference(schema: &Value) -> Option<&str> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return name.rsplit('/').next();
    }
    let choices = ["anyOf", "allOf"].iter().filter_map(|word| schema.get(word)?.as_array()).flatten();
    choices.chain(schema.get("items")).find_map(reference)
}

/// Whether it is a choice between tagged tables.
fn tags(schema: &Value) -> bool {
    let choices = schema.get("oneOf").and_then(Value::as_array);
    choices.is_some_and(|choices| choices.iter().any(|choice| tag(choice).is_some()))
}

/// What a value may be; of a choice of words, the words.
fn words(schema: &Value) -> String {
    let choices = schema.get("oneOf").and_then(Value::as_array);
    let words = choices.into_iter().flatten().filter_map(|choice| choice.get("const"));
    let words = joined(words.map(ToString::to_string));
    if words.is_empty() { form(schema) } else { words }
}

/// The section of one type; of a choice between objects also one for each that is no type of its own. What a field
/// does not say of itself, its type among `types` says.
fn section(title: &str, schema: &Value, types: &Value) -> Vec<Section> {
    let required = |name: &str| {
        let list = schema.get("required").and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|known| known == name))
    };
    let of = |name: &str, of: &Value, is_optional: bool, else_text: &str| {
        let mut field = Field::of(name, of, is_optional);
        let told = || reference(of).and_then(|known| types.get(known)).map(text).unwrap_or_default();
        for text in [else_text.to_owned(), told()] {
            if field.text.is_empty() {
                field.text = text;
            }
        }
        field
    };
    let own = "The word that tells this kind from the others.";
    let mut fields: Vec<Field> = properties(schema)
        .map(|(name, value)| of(name, value, !required(name), if name == "kind" { own } else { "" }))
        .collect();
    let mut sections = Vec::new();
    for choice in ["oneOf", "anyOf"].iter().filter_map(|word| schema.get(word)?.as_array()).flatten() {
        let text = text(choice);
        if let Some(word) = choice.get("const").and_then(Value::as_str) {
            fields.push(Field { name: word.to_owned(), form: "word".to_owned(), default: None, text });
        } else if let Some(name) = tag(choice) {
            let form = match choice.get("$ref") {
                Some(_) => form(choice),
                None => {
                    let form = format!("{title}: {name}");
                    sections.extend(section(&form, choice, types));
                    form
                }
            };
            let text = format!("With `kind` `{name}`, beside that word. {text}");
            fields.push(Field { name: name.to_owned(), form, default: None, text });
        } else {
            fields.extend(properties(choice).map(|(name, value)| of(name, value, true, &text)));
        }
    }
    sections.insert(0, Section { title: title.to_owned(), text: text(schema), fields });
    sections
}

/// The word that tells one of several objects from the others.
fn tag(choice: &Value) -> Option<&str> {
    choice.get("properties")?.get("kind")?.get("const")?.as_str()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let known = schema.get("properties").and_then(Value::as_object);
    known.into_iter().flat_map(Map::iter).map(|(name, of)| (name.as_str(), of))
}

impl Field {
    fn of(name: &str, schema: &Value, is_optional: bool) -> Self {
        let default = schema.get("default").filter(|default| is_optional && is_short(default));
        Self {
            name: name.to_owned(),
            form: form(schema),
            default: default.map(ToString::to_string),
            text: text(schema),
        }
    }
}

/// Whether a default says something: not null, not a whole table.
fn is_short(default: &Value) -> bool {
    match default {
        Value::Null => false,
        Value::Object(table) => table.is_empty(),
        Value::Array(list) => list.iter().all(Value::is_string),
        _ => true,
    }
}

fn text(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    without_links(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `text` without the links of rustdoc: of a link the name stays.
fn without_links(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((name, after)) = link.split_once("`]") else { break };
        plain.push_str(&format!("{before}`{}`", name.rsplit("::").next().unwrap_or(name)));
        let path = after.strip_prefix('(').and_then(|path| path.split_once(')'));
        rest = path.map_or(after, |(_, after)| after);
    }
    plain + rest
}

/// What a value of this schema may be, in words.
fn form(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return name.rsplit('/').next().unwrap_or(name).to_owned();
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return joined(words.iter().map(ToString::to_string));
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema.get(word).and_then(Value::as_array) {
            return joined(choices.iter().map(form));
        }
    }
    match schema.get("type") {
        Some(Value::String(name)) => simple(name, schema),
        Some(Value::Array(names)) => {
            joined(names.iter().filter_map(Value::as_str).map(|name| simple(name, schema)))
        }
        _ => "anything".to_owned(),
    }
}

fn simple(name: &str, schema: &Value) -> String {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    match name {
        "array" => {
            schema.get("items").map_or_else(|| "list".to_owned(), |items| format!("list of {}", form(items)))
        }
        "object" => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("table of {}", form(values)),
            _ => "table".to_owned(),
        },
        "string" if ["uuid", "date-time", "ipv4", "ipv6", "ip"].contains(&format) => format.to_owned(),
        "string" => schema
            .get("examples")
            .and_then(|examples| examples.get(0))
            .map_or_else(|| name.to_owned(), |example| format!("string like {example}")),
        "integer" => range(schema).unwrap_or_else(|| name.to_owned()),
        _ => name.to_owned(),
    }
}

/// The bounds of an integer, where both say something.
fn range(schema: &Value) -> Option<String> {
    let (least, most) = (schema.get("minimum")?.as_u64()?, schema.get("maximum")?.as_u64()?);
    Some(format!("integer {least} to {most}"))
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::without_links;

    #[test]
    fn of_a_link_the_name_stays() {
        for (text, plain) in [
            ("See [`udpping::Report`].", "See `Report`."),
            ("a [`Scalar`](crate::probe::Scalar), or `x` [1]", "a `Scalar`, or `x` [1]"),
            ("an open [`end", "an open [`end"),
            ("none", "none"),
        ] {
            assert_eq!(without_links(text), plain);
        }
    }
}
