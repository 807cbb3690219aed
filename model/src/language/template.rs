//! Patterns of sentences and how their holes are filled.
//!
//! `{name}` is an argument. `{n|host|hosts}` is a word by number: the first where the argument is one, else the second.
//! `{name~은/는}` is an argument with the Korean particle that its last sound asks for: the first after a consonant, the
//! second after a vowel. `{{` and `}}` are braces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arg, Language};

enum Piece<'p> {
    Text(&'p str),
    Argument(&'p str),
    ByNumber { name: &'p str, one: &'p str, other: &'p str },
    WithParticle { name: &'p str, consonant: &'p str, vowel: &'p str },
}

/// Fills a pattern. A hole without an argument is left empty: a document from elsewhere may lack one.
pub(super) fn fill(language: Language, pattern: &str, args: &BTreeMap<String, Arg>) -> String {
    let mut text = String::with_capacity(pattern.len() + 32);
    let say = |name: &str| args.get(name).map(|arg| arg.say(language)).unwrap_or_default();
    let read = pieces(pattern, |piece| match piece {
        Piece::Text(piece) => text.push_str(piece),
        Piece::Argument(name) => text.push_str(&say(name)),
        Piece::ByNumber { name, one, other } => {
            text.push_str(if args.get(name).is_some_and(Arg::is_one) { one } else { other });
        }
        Piece::WithParticle { name, consonant, vowel } => {
            let said = say(name);
            text.push_str(&said);
            text.push_str(if ends_in_consonant(&said, consonant == "으로") { consonant } else { vowel });
        }
    });
    debug_assert!(read.is_ok(), "{pattern}: {read:?}");
    text
}

/// The names of the arguments of a pattern.
///
/// # Errors
/// When the pattern cannot be read.
pub fn holes(pattern: &str) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    pieces(pattern, |piece| match piece {
        Piece::Text(_) => {}
        Piece::Argument(name) | Piece::ByNumber { name, .. } | Piece::WithParticle { name, .. } => {
            names.insert(name.to_owned());
        }
    })?;
    Ok(names)
}

fn pieces<'p>(pattern: &'p str, mut take: impl FnMut(Piece<'p>)) -> Result<(), String> {
    let mut rest = pattern;
    while let Some(place) = rest.find(['{', '}']) {
        take(Piece::Text(&rest[..place]));
        let brace = &rest[place..=place];
        let after = &rest[place + 1..];
        if after.starts_with(brace) {
            take(Piece::Text(brace));
            rest = &after[1..];
            continue;
        }
        if brace == "}" {
            return Err("a brace closes what none has opened".to_owned());
        }
        let end = after.find('}').ok_or("a brace is not closed")?;
        let hole = &after[..end];
        if let Some((name, forms)) = hole.split_once('|') {
            let (one, other) = forms.split_once('|').ok_or("a word by number needs two forms")?;
            take(Piece::ByNumber { name, one, other });
        } else if let Some((name, particles)) = hole.split_once('~') {
            let (consonant, vowel) = particles.split_once('/').ok_or("a particle needs two forms")?;
            take(Piece::WithParticle { name, consonant, vowel });
        } else {
            take(Piece::Argument(hole));
        }
        rest = &after[end + 1..];
    }
    take(Piece::Text(rest));
    Ok(())
}

/// Whether a text ends in a consonant when it is read in Korean; brackets and quotes at its end are not read. `으로`
/// stands after consonants other than ㄹ only.
fn ends_in_consonant(text: &str, except_rieul: bool) -> bool {
    const RIEUL: u32 = 8;
    let Some(last) = text.chars().rev().find(|c| c.is_alphanumeric()) else { return false };
    match last {
        '가'..='힣' => match (u32::from(last) - 0xAC00) % 28 {
            0 => false,
            RIEUL => !except_rieul,
            _ => true,
        },
        // 영 일 이 삼 사 오 육 칠 팔 구
        '0' | '3' | '6' => true,
        '1' | '7' | '8' => !except_rieul,
        // 엘 and 알 end in ㄹ.
        'l' | 'r' | 'L' | 'R' => !except_rieul,
        'm' | 'n' | 'M' | 'N' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pattern: &str, args: &[(&str, Arg)]) -> String {
        let args = args.iter().map(|(name, arg)| ((*name).to_owned(), arg.clone())).collect();
        fill(Language::ENGLISH, pattern, &args)
    }

    #[test]
    fn numbers_choose_words() {
        let pattern = "{n} {n|host has|hosts have} no place {{yet}}";
        assert_eq!(filled(pattern, &[("n", Arg::Count(1))]), "1 host has no place {yet}");
        assert_eq!(filled(pattern, &[("n", Arg::Count(1200))]), "1,200 hosts have no place {yet}");
    }

    #[test]
    fn the_last_sound_chooses_the_particle() {
        for (word, expected) in [
            ("서울", "서울은 서울로"),
            ("부산", "부산은 부산으로"),
            ("제주", "제주는 제주로"),
            ("db-1", "db-1은 db-1로"),
            ("db-2", "db-2는 db-2로"),
            ("db-3", "db-3은 db-3으로"),
            ("(KVM)", "(KVM)은 (KVM)으로"),
            ("", "는 로"),
        ] {
            let pattern = "{x~은/는} {x~으로/로}";
            assert_eq!(filled(pattern, &[("x", Arg::Text(word.to_owned()))]), expected);
        }
    }

    #[test]
    fn a_broken_pattern_is_told() {
        for broken in ["{a", "a}", "{a|b}", "{a~b}"] {
            assert!(holes(broken).is_err(), "{broken}");
        }
        assert_eq!(holes("{b} {a|x|y} {c~은/는}").unwrap().into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
