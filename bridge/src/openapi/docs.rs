//! What was told of one handler, on its way into a document.

use serde_json::Value;

use super::schemas::Schemas;

pub(super) const TEXT: &str = "text/plain";

/// What a handler's signature says.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The schema of what `Path` takes.
    pub(crate) path: Option<Value>,
    /// The schemas of what `Query` takes.
    pub(crate) query: Vec<Value>,
    pub(crate) body: Option<Body>,
    /// None where nothing is known of them.
    pub(crate) answers: Vec<Answer>,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) media: &'static str,
    pub(crate) schema: Value,
    pub(crate) is_required: bool,
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// `200`, `2XX` or `default`.
    pub(crate) status: String,
    pub(crate) description: String,
    /// The media type and the schema of its body.
    pub(crate) content: Option<(&'static str, Value)>,
    /// It may be an error that says nothing of its own, which is made a problem around the handler.
    pub(crate) may_be_problem: bool,
}

impl Answer {
    /// One of which nothing is known.
    pub(crate) fn some() -> Self {
        Self {
            status: "default".to_owned(),
            description: "The answer.".to_owned(),
            content: None,
            may_be_problem: false,
        }
    }
}

/// What is made a problem where it is an error: text, and nothing at all.
fn says_nothing_of_its_own(content: Option<&(&'static str, Value)>) -> bool {
    content.is_none_or(|(media, _)| *media == TEXT)
}

/// Which part of a result is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// It is no result.
    #[default]
    Whole,
    Good,
    Failure,
}

/// Where a handler's types put what they say.
#[derive(Debug)]
pub struct Docs<'s> {
    pub(super) schemas: &'s mut Schemas,
    pub(super) gathered: Gathered,
    /// Its method is one whose forms are in the query.
    pub(super) has_forms_in_query: bool,
    /// The argument that is told of may be missing.
    pub(super) is_optional: bool,
    pub(super) part: Part,
    /// The handler chooses the status of the answer that is told of.
    pub(super) is_status_chosen: bool,
}

impl<'s> Docs<'s> {
    /// What `tell` tells of the handler of a method, such as `GET`.
    pub(crate) fn told_by(
        schemas: &'s mut Schemas,
        verb: &str,
        tell: fn(&mut Docs<'_>),
    ) -> Gathered {
        let mut docs = Self {
            schemas,
            gathered: Gathered::default(),
            has_forms_in_query: ["GET", "HEAD"].contains(&verb),
            is_optional: false,
            part: Part::default(),
            is_status_chosen: false,
        };
        tell(&mut docs);
        docs.gathered
    }

    pub(super) fn body(&mut self, media: &'static str, schema: Value) {
        let is_required = !std::mem::take(&mut self.is_optional);
        self.gathered.body = Some(Body {
            media,
            schema,
            is_required,
        });
    }

    /// An answer with this status, unless the handler chooses another.
    pub(super) fn answer(&mut self, status: &str, content: Option<(&'static str, Value)>) {
        let is_bare = says_nothing_of_its_own(content.as_ref());
        self.one_answer(status, content, is_bare);
    }

    fn one_answer(&mut self, status: &str, content: Option<(&'static str, Value)>, is_bare: bool) {
        let is_chosen = std::mem::take(&mut self.is_status_chosen);
        let (status, description) = match self.part {
            Part::Failure => ("default", "The request failed."),
            Part::Good if is_chosen => ("2XX", "Done."),
            Part::Whole if is_chosen => ("default", "The answer."),
            Part::Good | Part::Whole => (status, "Done."),
        };
        self.gathered.answers.push(Answer {
            status: status.to_owned(),
            description: description.to_owned(),
            content,
            may_be_problem: is_bare && status == "default",
        });
    }

    /// An answer of which nothing is known.
    pub(super) fn some_answer(&mut self) {
        self.is_status_chosen = true;
        self.one_answer("default", None, false);
    }
}
