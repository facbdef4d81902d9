//! Reads the PDF of a drawing back, by the format alone, and the SVG of the same drawing.

/// A page of PDF.
pub struct Page {
    /// Width and height in points.
    pub size: (f64, f64),
    /// What is painted, in order: the numbers of its path. What is hatched is there once.
    pub shapes: Vec<Vec<f64>>,
    /// What is written, in order.
    pub texts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    /// `/Name`.
    Name(String),
    /// `(…)`.
    Codes(Vec<u8>),
    /// `<…>` of UTF-16.
    Unicode(String),
    /// An operator, or `[`, `]`, `<<`, `>>`.
    Word(String),
}

/// The page of a file; fails where the file is not as PDF should be, or holds what drawings do not need.
pub fn page(text: &str) -> Page {
    assert!(text.is_ascii() && text.starts_with("%PDF-1.4\n"));
    let (body, end) = text
        .rsplit_once("startxref\n")
        .expect("a start of the table");
    let start: usize = end
        .strip_suffix("\n%%EOF\n")
        .expect("an end")
        .parse()
        .expect("a number");
    let table = body[start..].strip_prefix("xref\n0 ").expect("the table");
    let (count, table) = table.split_once('\n').expect("a count");
    let count: usize = count.parse().expect("a number");
    let (entries, trailer) = table.split_at(20 * count);
    assert!(trailer.starts_with("trailer\n") && trailer.contains(&format!("/Size {count} ")));
    assert!(entries.starts_with("0000000000 65535 f \n"));
    let objects: Vec<&str> = (1..count)
        .map(|number| {
            let entry = &entries[20 * number..20 * (number + 1)];
            let offset = entry.strip_suffix(" 00000 n \n").expect("an entry in use");
            let at = &body[offset.parse::<usize>().expect("an offset")..start];
            let object = at
                .strip_prefix(&format!("{number} 0 obj\n"))
                .expect("the object");
            object.split("\nendobj\n").next().expect("its end")
        })
        .collect();
    let object = |reference: &str| objects[reference.parse::<usize>().expect("a number") - 1];
    let catalogue = object(between(trailer, "/Root ", " 0 R"));
    let pages = object(between(catalogue, "/Pages ", " 0 R"));
    let page = object(between(pages, "/Kids [", " 0 R"));
    let information = object(between(trailer, "/Info ", " 0 R"));
    assert!(information.contains("/Title <FEFF0"), "{information}");
    for (name, font) in [
        ("F1", "Helvetica"),
        ("F2", "Helvetica-Bold"),
        ("F3", "Symbol"),
    ] {
        let font = format!("/BaseFont /{font} ");
        assert!(object(between(page, &format!("/{name} "), " 0 R")).contains(&font));
    }
    let corners = between(page, "/MediaBox [0 0 ", "]");
    let (width, height) = corners.split_once(' ').expect("two numbers");
    let content = object(between(page, "/Contents ", " 0 R"));
    let length: usize = between(content, "/Length ", " >>")
        .parse()
        .expect("a length");
    let (_, stream) = content.split_once("stream\n").expect("a stream");
    assert_eq!(&stream[length..], "endstream");
    let (shapes, texts) = operators(&stream[..length], page);
    Page {
        size: (
            width.parse().expect("a width"),
            height.parse().expect("a height"),
        ),
        shapes,
        texts,
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("{from} in {text}"));
    rest.split_once(to)
        .unwrap_or_else(|| panic!("{to} in {text}"))
        .0
}

/// What is painted and written by a content stream.
fn operators(stream: &str, resources: &str) -> (Vec<Vec<f64>>, Vec<String>) {
    let (mut shapes, mut texts) = (Vec::new(), Vec::new());
    let (mut operands, mut path, mut saved, mut rise) = (Vec::new(), Vec::new(), 0, 0.0);
    let (mut font, mut actual, mut open, mut written) = (String::new(), None, false, String::new());
    for token in tokens(stream) {
        let Token::Word(word) = &token else {
            operands.push(token);
            continue;
        };
        let numbers = operands.iter().filter_map(|t| match t {
            Token::Number(x) => Some(*x),
            _ => None,
        });
        match word.as_str() {
            "[" | "]" | "<<" | ">>" => continue,
            "m" | "l" | "c" | "re" => path.extend(numbers),
            "h" | "cm" | "M" | "w" | "d" | "J" | "rg" | "RG" | "Tm" => (),
            // It stays after a text: the next one must not be raised.
            "Ts" => rise = numbers.sum(),
            "f" | "S" | "B" | "W" => {
                let shape = std::mem::take(&mut path);
                assert!(!shape.is_empty());
                if saved == 0 || word == "W" {
                    shapes.push(shape);
                }
            }
            // What is clipped to is not painted.
            "n" => assert!(path.is_empty() && saved == 1),
            "q" => saved += 1,
            "Q" => saved -= 1,
            "gs" | "Tf" => {
                let Some(Token::Name(name)) = operands.first() else {
                    panic!("a name before {word}");
                };
                assert!(resources.contains(&format!("/{name} ")), "{name}");
                if word == "Tf" {
                    font.clone_from(name);
                }
            }
            "BDC" => {
                actual = operands.iter().find_map(|t| match t {
                    Token::Unicode(text) => Some(text.clone()),
                    _ => None,
                });
            }
            "EMC" => assert!(!open && actual.take().is_some()),
            "BT" => {
                assert!(!open && saved == 0 && path.is_empty());
                open = true;
            }
            "Tj" | "TJ" => {
                for token in &operands {
                    if let Token::Codes(codes) = token {
                        written.extend(codes.iter().map(|c| letter(&font, *c, actual.is_some())));
                    }
                }
            }
            "ET" => {
                assert!(open && !written.is_empty() && rise == 0.0);
                let own = std::mem::take(&mut written);
                texts.push(actual.clone().unwrap_or(own));
                open = false;
            }
            _ => panic!("{word} is no operator of drawings"),
        }
        operands.clear();
    }
    assert!(operands.is_empty() && path.is_empty() && saved == 0 && !open && actual.is_none());
    (shapes, texts)
}

/// The character of a code: where the text stands beside it, any.
fn letter(font: &str, code: u8, free: bool) -> char {
    match (font, code) {
        ("F3", 0x2d) => '−',
        ("F3", 0xae) => '→',
        ("F1" | "F2", 0x85) => '…',
        ("F1" | "F2", 0x20..0x7f | 0xa0..) => char::from(code),
        _ if free => '?',
        _ => panic!("code {code} of {font}"),
    }
}

fn tokens(stream: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut rest = stream.trim_start();
    while let Some(first) = rest.chars().next() {
        let length;
        if first == '(' {
            let (codes, used) = codes(rest);
            all.push(Token::Codes(codes));
            length = used;
        } else if rest.starts_with("<FEFF") {
            length = rest.find('>').expect("the end of a string") + 1;
            let digits: Vec<char> = rest[5..length - 1].chars().collect();
            let unit = |d: &[char]| u16::from_str_radix(&d.iter().collect::<String>(), 16);
            let units: Vec<u16> = digits.chunks(4).map(|d| unit(d).expect("digits")).collect();
            all.push(Token::Unicode(String::from_utf16(&units).expect("UTF-16")));
        } else if first == '[' || first == ']' {
            all.push(Token::Word(first.to_string()));
            length = 1;
        } else {
            let ends = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(');
            length = rest.find(ends).unwrap_or(rest.len());
            let word = &rest[..length];
            all.push(match (word.strip_prefix('/'), word.parse()) {
                (Some(name), _) => Token::Name(name.to_owned()),
                (None, Ok(x)) => Token::Number(x),
                (None, Err(_)) => Token::Word(word.to_owned()),
            });
        }
        rest = rest[length..].trim_start();
    }
    all
}

/// The codes of a string in parentheses, and its length in the file.
fn codes(text: &str) -> (Vec<u8>, usize) {
    let bytes = text.as_bytes();
    let mut codes = Vec::new();
    let mut at = 1;
    loop {
        match bytes[at] {
            b')' => return (codes, at + 1),
            b'\\' if bytes[at + 1].is_ascii_digit() => {
                let octal = &text[at + 1..at + 4];
                codes.push(u8::from_str_radix(octal, 8).expect("an octal code"));
                at += 4;
            }
            b'\\' => {
                codes.push(bytes[at + 1]);
                at += 2;
            }
            c => {
                assert_ne!(c, b'(', "strings are not nested");
                codes.push(c);
                at += 1;
            }
        }
    }
}

/// A shape of SVG: its element with the attributes, and the numbers of its path as PDF has them.
pub struct Shape<'a> {
    pub element: &'a str,
    pub numbers: Vec<f64>,
}

/// Width and height of a drawing in SVG, its shapes from the white page on, and its texts.
pub fn drawing(svg: &str) -> ((f64, f64), Vec<Shape<'_>>, Vec<String>) {
    let number = |text: &str| -> f64 { text.parse().expect("a number") };
    let size = between(svg, "viewBox=\"0 0 ", "\"");
    let (width, height) = size.split_once(' ').expect("two numbers");
    let size = (number(width), number(height));
    let (_, body) = svg.split_once("</defs>").expect("definitions");
    let (mut shapes, mut texts) = (Vec::new(), Vec::new());
    for element in body.split('<').skip(1) {
        let of = |name: &str| between(element, &format!(" {name}=\""), "\"");
        let list = |names: &[&str]| names.iter().map(|n| number(of(n))).collect();
        let numbers: Vec<f64> = match element.split([' ', '>']).next() {
            Some("rect") if of("width") == "100%" => vec![0.0, 0.0, size.0, size.1],
            Some("rect") => list(&["x", "y", "width", "height"]),
            Some("line") => list(&["x1", "y1", "x2", "y2"]),
            // The circle begins at its right.
            Some("circle") => vec![number(of("cx")) + number(of("r")), number(of("cy"))],
            Some("path") => {
                let each = of("d").split(['M', 'L', 'Z', ' ']);
                each.filter(|x| !x.is_empty()).map(number).collect()
            }
            Some("text") => {
                let (_, text) = element.split_once('>').expect("a text");
                let text = text.replace("&lt;", "<").replace("&gt;", ">");
                let text = text.replace("&quot;", "\"").replace("&#39;", "'");
                texts.push(text.replace("&amp;", "&"));
                continue;
            }
            Some("g" | "title" | "/g" | "/title" | "/text" | "/svg") => continue,
            other => panic!("{other:?} is no element of drawings"),
        };
        shapes.push(Shape { element, numbers });
    }
    texts.retain(|t| !t.is_empty());
    (size, shapes, texts)
}

/// Checks that a page has all that is in the SVG of the same drawing, at the same places.
pub fn check(name: &str, pdf: &str, svg: &str) {
    let page = page(pdf);
    let ((width, height), shapes, texts) = drawing(svg);
    for (points, length) in [(page.size.0, width), (page.size.1, height)] {
        assert!(
            (points - 0.75 * length).abs() < 0.006,
            "{name}: {points} {length}"
        );
    }
    assert_eq!(page.texts, texts, "{name}");
    assert!(texts.len() > 3 && shapes.len() > 3, "{name}");
    assert_eq!(page.shapes.len(), shapes.len(), "{name}");
    for (of_pdf, of_svg) in page.shapes.iter().zip(&shapes) {
        let disc = of_svg.element.starts_with("circle");
        let own = if disc { &of_pdf[..2] } else { &of_pdf[..] };
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 0.011;
        assert!(
            own.len() == of_svg.numbers.len() && own.iter().zip(&of_svg.numbers).all(near),
            "{name}: {own:?} is not {}",
            of_svg.element
        );
    }
}
