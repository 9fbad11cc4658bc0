//! Rust type → files → generated type: the same bytes, the same JSON, the same contract.
//!
//! The golden files are the `.proto` files of the types in `declared`, the `.schema.json` of those
//! that it can say, and the Rust that is generated of both. Run with `BLESS=1` to write them anew.

extern crate self as bridge;

#[path = "compiles/sdk.rs"]
mod sdk;

#[path = "code_first/declared.rs"]
#[allow(unreachable_pub, reason = "as contracts are declared in a library")]
mod declared;
#[path = "code_first/random.rs"]
mod random;

pub use sdk::*;

/// What is generated of the `.proto` files.
mod generated {
    include!("golden/code_first/rust/mod.rs");
}

/// What is generated of the `.schema.json` file.
mod of_schema {
    include!("golden/code_first/schema/mod.rs");
}

use std::fs;
use std::path::{Path, PathBuf};

use bridge_codegen::{Loaded, contracts};
use contract::codec::Native;
use contract::message::{Described, Files, MessageTable};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use declared::{Ask, Everything, Told, Unit};
use generated::code::first::v1 as first;
use generated::code::flat::v1 as flat;
use random::{Any, Random};

/// How many random values are compared.
const VALUES: u64 = 500;

fn set() -> Vec<u8> {
    let mut files = Files::default();
    Everything::declare(&mut files);
    for message in [Ask::declare, Told::declare, Unit::declare] {
        message(&mut files);
    }
    files.rpc("code.flat.v1.Asking/Ask", Ask::TABLE, Told::TABLE, false);
    files.rpc(
        "code.first.v1.Echo/Once",
        Everything::TABLE,
        Everything::TABLE,
        false,
    );
    files.rpc(
        "code.first.v1.Echo/Nothing",
        Unit::TABLE,
        Everything::TABLE,
        true,
    );
    files.descriptor_set().expect("nothing is wrong with it")
}

/// The contracts of the program, as the tools read them.
fn of_program(folder: &Path) -> Loaded {
    let file = folder.join("code.binpb");
    fs::write(&file, set()).expect("the folder can be written");
    contracts(file)
        .read()
        .expect("no fault in what was declared")
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/code_first")
}

/// Compares a file with its golden one, or writes it.
fn check(path: &Path, text: &str) {
    let golden = golden().join(path);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(golden.parent().expect("a folder")).expect("it can be made");
        fs::write(&golden, text).expect("it can be written");
    }
    let known = fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(
        text,
        known,
        "{}: BLESS=1 if the change is meant",
        path.display()
    );
}

#[test]
fn what_is_declared_becomes_files_that_give_the_golden_rust() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let loaded = of_program(folder.path());
    let protos = folder.path().join("proto");
    for file in loaded.protos().expect("everything has a form in .proto") {
        let path = protos.join(&file.path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(&path, &file.text).expect("it can be written");
        check(&Path::new("proto").join(&file.path), &file.text);
    }
    let schema = loaded
        .schema_json("code.flat.v1.Asking/Ask")
        .expect("it is flat");
    assert_eq!(schema.note, "", "the contract hash stays");
    check(&Path::new("schemas").join(&schema.path), &schema.text);

    let schemas = folder.path().join("schemas");
    let path = schemas.join(&schema.path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(&path, &schema.text).expect("it can be written");
    for (from, to) in [(&protos, "rust"), (&schemas, "schema")] {
        let out = folder.path().join(to);
        let compiled = contracts(from).out_dir(&out).try_compile();
        for file in compiled.expect("no fault in what was written").generated {
            let text = fs::read_to_string(&file).expect("it was written");
            let name = file.strip_prefix(&out).expect("it is below");
            check(&Path::new(to).join(name), &text);
        }
    }
}

#[test]
fn files_keep_the_contract() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (of_program, _) = of_program(folder.path()).lock();
    let written = contracts(golden().join("proto")).read().expect("no fault");
    assert_eq!(of_program.to_text(), written.lock().0.to_text());
    // The same message by both forms is the same contract.
    let by_schema = contracts(golden().join("schemas"))
        .read()
        .expect("no fault");
    let hash = |lock: &bridge_codegen::lock::Lock, name: &str| {
        let rpc = lock
            .rpcs
            .get(name)
            .unwrap_or_else(|| panic!("{name} in {:?}", lock.rpcs.keys()));
        rpc.hash.clone()
    };
    assert_eq!(
        hash(&of_program, "code.flat.v1.Asking/Ask"),
        hash(&by_schema.lock().0, "asking.Asking/Ask"),
    );
}

/// A table as text, one level deep.
fn shown(table: &MessageTable) -> Vec<String> {
    let fields = table.fields.iter().map(|it| {
        let kind = match it.kind.message() {
            Some(inner) => inner.name.to_owned(),
            None => format!("{:?}", it.kind),
        };
        format!(
            "{} {} {} {:?} {:?} {kind}",
            it.number, it.name, it.json, it.doc, it.label
        )
    });
    let head = format!("{} {:?} {:?}", table.name, table.doc, table.form);
    std::iter::once(head).chain(fields).collect()
}

#[test]
fn a_generated_type_has_the_table_of_the_type_it_comes_from() {
    for (of_rust, of_file) in [
        (Everything::TABLE, first::Everything::TABLE),
        (
            declared::Money::TABLE,
            generated::code::other::v1::Money::TABLE,
        ),
        (Ask::TABLE, flat::Ask::TABLE),
        (Told::TABLE, flat::Told::TABLE),
        (Unit::TABLE, flat::Nothing::TABLE),
    ] {
        assert_eq!(shown(of_rust), shown(of_file));
        // Members of one oneof there are members of one here, whatever their index.
        for (left, right) in of_rust.fields.iter().zip(of_file.fields) {
            let beside = |table: &MessageTable, of: Option<u16>| -> Vec<u32> {
                let members = table
                    .fields
                    .iter()
                    .filter(|it| of.is_some() && it.oneof == of);
                members.map(|it| it.number).collect()
            };
            assert_eq!(beside(of_rust, left.oneof), beside(of_file, right.oneof));
        }
    }
}

/// Both types read and write the same bytes and the same JSON.
fn compare<L, R>(seed: u64)
where
    L: Message + Default + Serialize + DeserializeOwned + Any,
    R: Message + Default + Serialize + DeserializeOwned,
{
    let value: L = Random::new(seed).any();
    let bytes = value.encode_to_vec();
    assert_eq!(value.encoded_len(), bytes.len(), "seed {seed}");
    let left = L::decode(&bytes[..]).unwrap_or_else(|it| panic!("seed {seed}: {it}"));
    assert_eq!(left.encode_to_vec(), bytes, "seed {seed}");
    let right = R::decode(&bytes[..]).unwrap_or_else(|it| panic!("seed {seed}: {it}"));
    assert_eq!(right.encode_to_vec(), bytes, "seed {seed}");

    let json = serde_json::to_string(&value).unwrap_or_else(|it| panic!("seed {seed}: {it}"));
    let of_right = serde_json::to_string(&right).unwrap_or_else(|it| panic!("seed {seed}: {it}"));
    assert_eq!(json, of_right, "seed {seed}");
    let left: L = serde_json::from_str(&json).unwrap_or_else(|it| panic!("seed {seed}: {it}"));
    let right: R = serde_json::from_str(&json).unwrap_or_else(|it| panic!("seed {seed}: {it}"));
    assert_eq!(left.encode_to_vec(), right.encode_to_vec(), "seed {seed}");

    // Cut anywhere, both refuse or both read the same.
    let cut = bytes.len() * (seed as usize % 7) / 7;
    let left = L::decode(&bytes[..cut]).ok().map(|it| it.encode_to_vec());
    let right = R::decode(&bytes[..cut]).ok().map(|it| it.encode_to_vec());
    assert_eq!(left, right, "seed {seed} cut at {cut}");
}

#[test]
fn random_values_are_the_same_bytes_and_the_same_json_in_both() {
    for seed in 0..VALUES {
        compare::<Everything, first::Everything>(seed);
        compare::<Ask, flat::Ask>(seed);
        compare::<Ask, of_schema::asking::ask::Input>(seed);
        compare::<Told, flat::Told>(seed);
        compare::<Told, of_schema::asking::ask::Output>(seed);
    }
}

#[test]
fn what_is_written_ascends_by_number() {
    for seed in 0..VALUES {
        let value: Everything = Random::new(seed).any();
        let bytes = value.encode_to_vec();
        let (mut buf, mut last) = (&bytes[..], 0);
        while !buf.is_empty() {
            let (number, wire_type) = prost::encoding::decode_key(&mut buf).expect("a key");
            assert!(number >= last, "seed {seed}: {number} behind {last}");
            last = number;
            let ctx = prost::encoding::DecodeContext::default();
            prost::encoding::skip_field(wire_type, number, &mut buf, ctx).expect("a field");
        }
    }
}

/// Contracts that come from files.
#[allow(dead_code, reason = "one of them is enough")]
mod contracts_of_files {
    include!("golden/mod.rs");
}

/// What is declared beside each other wrongly, and what holds generated types.
mod odd {
    use bridge_macros::{Enumeration, Message};

    use super::contracts_of_files::shop::common::v1::Money;
    use super::contracts_of_files::zoo::v1::Old;

    #[derive(Clone, PartialEq, Message)]
    #[bridge(package = "odd.a.v1")]
    pub(super) struct Left {
        #[bridge(1)]
        pub(super) right: Option<Box<Right>>,
    }

    #[derive(Clone, PartialEq, Message)]
    #[bridge(package = "odd.b.v1")]
    pub(super) struct Right {
        #[bridge(1)]
        pub(super) left: Option<Left>,
    }

    #[derive(Clone, PartialEq, Message)]
    #[bridge(package = "odd.a.v1", name = "Left")]
    pub(super) struct AlsoLeft {}

    #[derive(Clone, Copy, PartialEq, Enumeration)]
    #[bridge(package = "odd.a.v1")]
    pub(super) enum Side {
        #[bridge(0, name = "Left")]
        Left,
        Unrecognized(i32),
    }

    #[derive(Clone, PartialEq, Message)]
    #[bridge(package = "odd.a.v1")]
    pub(super) struct Mixed {
        #[bridge(1)]
        pub(super) side: Side,
        #[bridge(2)]
        pub(super) moneys: Vec<Money>,
        #[bridge(3)]
        pub(super) old: Option<Old>,
    }

    #[derive(Clone, PartialEq, Message)]
    #[bridge(package = "odd.a.v1")]
    pub(super) struct Around {
        #[bridge(1)]
        pub(super) mixed: Option<Mixed>,
    }
}

fn faults(declare: impl FnOnce(&mut Files)) -> Vec<String> {
    let mut files = Files::default();
    declare(&mut files);
    files
        .descriptor_set()
        .expect_err("something is wrong")
        .faults
}

#[test]
fn what_cannot_be_files_is_refused_by_name() {
    assert_eq!(
        faults(odd::Left::declare),
        [
            "the packages `odd.a.v1` and `odd.b.v1` refer to each other, and files cannot import in \
             a circle: give what belongs together one package"
        ]
    );
    let twice = faults(|files| {
        Unit::declare(files);
        odd::AlsoLeft::declare(files);
        odd::Left::declare(files);
    });
    assert_eq!(
        twice,
        ["two types are called `odd.a.v1.Left`: give one of them another `name` or `package`"]
    );
    let room = faults(|files| {
        odd::AlsoLeft::declare(files);
        odd::Side::declare(files);
    });
    assert_eq!(
        room,
        [
            "`Left` is declared twice in the package `odd.a.v1`, where messages, enums, their values \
             and services have one name each: give one of them another `name`"
        ]
    );
    let rpcs = faults(|files| {
        files.rpc("Orders/Place", Ask::TABLE, Told::TABLE, false);
        files.rpc("shop.Orders/Place", Ask::TABLE, Told::TABLE, false);
        files.rpc("shop.Orders/Place", Ask::TABLE, Told::TABLE, true);
    });
    assert_eq!(rpcs.len(), 2, "{rpcs:?}");
    assert!(rpcs[0].starts_with("`Orders/Place` is not called as an rpc is"));
    assert!(rpcs[1].starts_with("rpc `shop.Orders/Place` is declared twice"));
}

#[test]
fn a_declared_message_asks_for_what_generated_ones_in_it_require() {
    let around = |old| odd::Around {
        mixed: Some(odd::Mixed {
            old,
            ..Default::default()
        }),
    };
    let without = around(None).encode_to_vec();
    odd::Around::decode(&without[..]).expect("nothing is missing");
    // Two messages deep, one that is empty where something is required.
    let bytes = [&without[..1], &[2, 0x1a, 0][..]].concat();
    let error = odd::Around::decode(&bytes[..]).expect_err("it lacks something");
    assert!(error.to_string().contains("mixed.old."), "{error}");
}

#[test]
fn types_of_files_are_linked_and_missing_ones_are_named() {
    use bridge_codegen::link;

    let mut files = Files::default();
    odd::Mixed::declare(&mut files);
    let set = files.descriptor_set().expect("nothing is wrong with it");
    let source = Path::new("made.json");
    let error = link(&set, source, None).expect_err("their files are not known");
    assert_eq!(error.faults().len(), 2, "{error}");
    assert!(
        error.to_string().starts_with(
            "made.json: `odd.a.v1` refers to `shop.common.v1.Money`, which is in no contract here"
        ),
        "{error}"
    );
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts");
    let beside = bridge_codegen::contracts(contracts)
        .read()
        .expect("no fault");
    let linked = link(&set, source, Some(&beside)).expect("all of them are there");
    assert_eq!(linked.declared, ["odd/a/v1/a.proto"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("linked.binpb");
    fs::write(&file, &linked.set).expect("the folder can be written");
    let loaded = bridge_codegen::contracts(file)
        .read()
        .expect("the set is complete");
    let protos = loaded.protos().expect("everything has a form");
    let own = protos
        .iter()
        .find(|it| it.path == Path::new("odd/a/v1/a.proto"));
    let text = &own.expect("it is declared").text;
    assert!(
        text.contains("repeated .shop.common.v1.Money moneys = 2;"),
        "{text}"
    );
}

#[test]
fn a_file_of_ones_own_is_no_earlier_export() {
    use bridge_codegen::export::MARK;
    use bridge_codegen::link;

    let mut files = Files::default();
    Ask::declare(&mut files);
    Told::declare(&mut files);
    let set = files.descriptor_set().expect("nothing is wrong with it");
    let source = Path::new("made.json");
    let linked = |text: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("code/flat/v1/flat.proto");
        fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        fs::write(&file, text).expect("it can be written");
        let beside = contracts(folder.path()).read().expect("no fault");
        link(&set, source, Some(&beside))
    };
    let own = "syntax = \"proto3\";\npackage code.flat.v1;\nmessage Own {}\n";
    let error = linked(own).expect_err("somebody wrote it");
    assert_eq!(
        error.to_string(),
        "made.json: `code.flat.v1`, which the program declares, would be the file \
         `code/flat/v1/flat.proto`, and that is there and no export: give the file another name, \
         or what is declared another `package`"
    );
    for quoted in [
        format!("{own}{MARK}\n"),
        format!("// Mine.\n\n{MARK}\n{own}"),
    ] {
        assert!(linked(&quoted).is_err(), "the mark is the first line");
    }
    for earlier in [
        format!("{MARK}\n\n{own}"),
        format!("{MARK}\n{own}"),
        format!("{MARK}\n// About it.\n{own}"),
        format!("{MARK}\n\n// About it.\n{own}"),
    ] {
        let linked = linked(&earlier).expect("an earlier export is replaced");
        assert_eq!(linked.declared, ["code/flat/v1/flat.proto"]);
    }

    // What an earlier export alone has is not there any more.
    let mut files = Files::default();
    odd::Mixed::declare(&mut files);
    let set = files.descriptor_set().expect("nothing is wrong with it");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stale = folder.path().join("odd/a/v1/a.proto");
    fs::create_dir_all(stale.parent().expect("a folder")).expect("it can be made");
    let text = "syntax = \"proto3\";\npackage shop.common.v1;\nmessage Money {}\n";
    fs::write(&stale, format!("{MARK}\n\n{text}")).expect("it can be written");
    let beside = contracts(folder.path()).read().expect("no fault");
    let error = link(&set, source, Some(&beside)).expect_err("it is replaced");
    assert!(
        error.to_string().contains(
            "refers to `shop.common.v1.Money`, which is in nothing but `odd/a/v1/a.proto`, an \
             earlier export that this one replaces: declare it in the program"
        ),
        "{error}"
    );
}
