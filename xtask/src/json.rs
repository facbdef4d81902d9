//! A JSON reader for the output of cargo and of the benches: small, complete, not fast.

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order of the text.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value that fills the whole text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value()?;
        reader.space();
        if reader.at < text.len() {
            return Err(reader.error("the end of the text"));
        }
        Ok(value)
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The content of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The items of a list; nothing for anything else.
    pub fn items(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, expected: &str) -> String {
        format!("JSON: expected {expected} at byte {}", self.at)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Skips spaces, and `token` if it comes next.
    fn take(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn value(&mut self) -> Result<Json, String> {
        if self.take("{") {
            let mut members = Vec::new();
            if self.take("}") {
                return Ok(Json::Object(members));
            }
            loop {
                let name = self.string()?;
                if !self.take(":") {
                    return Err(self.error("':'"));
                }
                members.push((name, self.value()?));
                if self.take("}") {
                    return Ok(Json::Object(members));
                }
                if !self.take(",") {
                    return Err(self.error("',' or '}'"));
                }
            }
        }
        if self.take("[") {
            let mut items = Vec::new();
            if self.take("]") {
                return Ok(Json::List(items));
            }
            loop {
                items.push(self.value()?);
                if self.take("]") {
                    return Ok(Json::List(items));
                }
                if !self.take(",") {
                    return Err(self.error("',' or ']'"));
                }
            }
        }
        for (word, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
        ] {
            if self.take(word) {
                return Ok(value);
            }
        }
        if self.rest().starts_with('"') {
            return self.string().map(Json::Text);
        }
        let digits = self
            .rest()
            .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
            .unwrap_or(self.rest().len());
        let number = self.rest()[..digits].parse();
        let number = number.map_err(|_| self.error("a value"))?;
        self.at += digits;
        Ok(Json::Number(number))
    }

    fn string(&mut self) -> Result<String, String> {
        if !self.take("\"") {
            return Err(self.error("a string"));
        }
        let mut out = String::new();
        loop {
            match self.char("'\"'")? {
                '"' => return Ok(out),
                '\\' => {
                    let c = self.char("an escape")?;
                    out.push(match c {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'u' => self.unicode()?,
                        other => other,
                    });
                }
                c => out.push(c),
            }
        }
    }

    fn char(&mut self, expected: &str) -> Result<char, String> {
        let c = self.rest().chars().next();
        let c = c.ok_or_else(|| self.error(expected))?;
        self.at += c.len_utf8();
        Ok(c)
    }

    /// The four digits after `\u`, and the second half of a surrogate pair.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.hex()?;
            0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
        } else {
            first
        };
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self.rest().get(..4);
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.error("four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nested_values() {
        let value = Json::parse(
            r#" {"a": [1, -2.5e-3, null, true], "b": {"c": "x\n\"\u00b5\ud83d\ude00"}} "#,
        );
        let value = value.expect("valid JSON");
        let items = value.get("a").expect("a").items();
        assert_eq!(items[1].number(), Some(-2.5e-3));
        assert_eq!((&items[2], &items[3]), (&Json::Null, &Json::Bool(true)));
        let text = value.get("b").and_then(|b| b.get("c")).and_then(Json::text);
        assert_eq!(text, Some("x\n\"µ😀"));
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\" 1}",
            "\"open",
            "1 2",
            "nul",
            "\"\\u12\"",
        ] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }
}
