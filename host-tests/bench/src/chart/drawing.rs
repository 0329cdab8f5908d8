//! Draws the picture: panels below each other, each a small table whose middle column is a bar.

use maud::{Markup, PreEscaped, html};

use super::figures::{Bar, Figures, Panel, Throughput};

const STYLE: &str = include_str!("style.css");

const WIDTH: u32 = 860;
/// Between the card's border and what stands on it.
const MARGIN: u32 = 32;
const HEADING: u32 = 66;
const PANEL_HEADING: u32 = 34;
const ROW: u32 = 27;
const BAR: u32 = 15;
const BETWEEN_PANELS: u32 = 26;
const FOOTER: u32 = 52;

/// Where the columns are: names begin at the margin, figures end at their place.
const BARS: u32 = 262;
const BARS_WIDTH: u32 = 380;
const REQUESTS: u32 = 736;
const SHARE: u32 = WIDTH - MARGIN;

/// A panel, and where its top is.
struct Placed<'a> {
    panel: &'a Panel,
    top: u32,
}

pub(super) fn draw(figures: &Figures) -> String {
    let (placed, bottom) = place(&figures.panels);
    let height = bottom + FOOTER;
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height)
            role="img" aria-labelledby="title description" {
            title id="title" { "Throughput of Hallpass in Envoy" }
            desc id="description" { (description(figures)) }
            style { (PreEscaped(STYLE)) }
            rect.card x="0.5" y="0.5" width=(WIDTH - 1) height=(height - 1) rx="8" {}
            text.heading x=(MARGIN) y="44" { "Throughput of one Envoy worker" }
            (column_heads(44))
            @for one in &placed { (panel(one)) }
            text.head x=(MARGIN) y=(height - 26) { (circumstances(figures)) }
        }
    };
    picture.into_string() + "\n"
}

fn place(panels: &[Panel]) -> (Vec<Placed<'_>>, u32) {
    let mut top = HEADING;
    let mut placed = Vec::new();
    for panel in panels {
        placed.push(Placed { panel, top });
        let rows = u32::try_from(panel.bars.len()).unwrap_or(u32::MAX);
        top += PANEL_HEADING + rows * ROW + BETWEEN_PANELS;
    }
    (placed, top - BETWEEN_PANELS)
}

fn column_heads(y: u32) -> Markup {
    html! {
        text.head.number x=(REQUESTS) y=(y) { "thousand requests/s" }
        text.head.number x=(SHARE) y=(y) { "of plain" }
    }
}

fn panel(Placed { panel, top }: &Placed<'_>) -> Markup {
    let longest = longest(panel);
    let first = top + PANEL_HEADING;
    html! {
        text.panel x=(MARGIN) y=(top + 20) { (capitalised(&panel.title)) }
        @for (index, bar) in (0..).zip(&panel.bars) { (row(bar, longest, first + index * ROW)) }
    }
}

/// The share that has all the width there is.
fn longest(panel: &Panel) -> f64 {
    let shares = panel.bars.iter().filter_map(|bar| bar.throughput);
    shares
        .map(|throughput| throughput.share)
        .fold(1.0, f64::max)
}

fn row(bar: &Bar, longest: f64, y: u32) -> Markup {
    let ours = bar.is_hallpass();
    let baseline = y + BAR - 3;
    html! {
        text.ours[ours] x=(MARGIN) y=(baseline) { (bar.name) }
        rect.track x=(BARS) y=(y) width=(BARS_WIDTH) height=(BAR) rx="3" {}
        @match bar.throughput {
            Some(throughput) => {
                rect.bar.ours[ours] x=(BARS) y=(y) width=(width(throughput, longest)) height=(BAR) rx="3" {}
                text.number.ours[ours] x=(REQUESTS) y=(baseline) { (thousands(throughput)) }
                text.number.ours[ours] x=(SHARE) y=(baseline) { (percent(throughput)) }
            }
            None => { text.muted.number x=(SHARE) y=(baseline) { "no figure" } }
        }
    }
}

fn width(throughput: Throughput, longest: f64) -> String {
    format!("{:.1}", f64::from(BARS_WIDTH) * throughput.share / longest)
}

fn thousands(throughput: Throughput) -> String {
    format!("{:.1}", throughput.a_second / 1_000.0)
}

fn percent(throughput: Throughput) -> String {
    format!("{:.0} %", throughput.share * 100.0)
}

fn capitalised(title: &str) -> String {
    let mut rest = title.chars();
    let first = rest.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(rest).collect()
}

fn circumstances(figures: &Figures) -> String {
    format!(
        "Medians of {} rounds of {} s, {} connections, {} processors. Plain is Envoy without a filter.",
        figures.rounds, figures.seconds, figures.connections, figures.processors
    )
}

/// All of it in words, for those who do not see it.
fn description(figures: &Figures) -> String {
    let row = |bar: &Bar| match bar.throughput {
        Some(throughput) => format!(
            "{}: {} thousand requests a second, {} of plain",
            bar.name,
            thousands(throughput),
            percent(throughput)
        ),
        None => format!("{}: no figure", bar.name),
    };
    let panel = |panel: &Panel| {
        let rows: Vec<_> = panel.bars.iter().map(row).collect();
        format!("{}. {}.", capitalised(&panel.title), rows.join("; "))
    };
    let panels: Vec<_> = figures.panels.iter().map(panel).collect();
    format!("{} {}", panels.join(" "), circumstances(figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, share: Option<f64>) -> Bar {
        Bar {
            name: name.to_owned(),
            throughput: share.map(|share| Throughput {
                a_second: share * 20_000.0,
                share,
            }),
        }
    }

    fn drawn(bars: Vec<Bar>) -> String {
        draw(&Figures {
            rounds: 5,
            seconds: 2,
            connections: 16,
            processors: 2,
            panels: vec![Panel {
                title: "one token".to_owned(),
                bars,
            }],
        })
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_ours_stand_out() {
        let picture = drawn(vec![bar("plain", Some(1.0)), bar("hallpass", Some(0.5))]);
        assert!(picture.contains(r#"<rect class="bar" x="262" y="100" width="380.0""#));
        assert!(picture.contains(r#"<rect class="bar ours" x="262" y="127" width="190.0""#));
        assert!(picture.contains(">10.0</text>"));
        assert!(picture.contains(">50 %</text>"));
    }

    #[test]
    fn the_longest_bar_has_all_the_width_also_where_it_is_not_plains() {
        let picture = drawn(vec![bar("plain", Some(1.0)), bar("other", Some(2.0))]);
        assert!(picture.contains(r#"y="100" width="190.0""#));
        assert!(picture.contains(r#"y="127" width="380.0""#));
    }

    #[test]
    fn a_row_without_figures_has_no_bar() {
        let picture = drawn(vec![bar("plain", Some(1.0)), bar("jwt_authn", None)]);
        assert_eq!(picture.matches(r#"<rect class="bar""#).count(), 1);
        assert!(picture.contains(">no figure</text>"));
    }

    #[test]
    fn names_are_text_and_nothing_comes_from_elsewhere() {
        let picture = drawn(vec![
            bar("plain", Some(1.0)),
            bar("<a href=\"x\">&", Some(0.5)),
        ]);
        assert!(picture.contains("&lt;a href=&quot;x&quot;&gt;&amp;"));
        let addresses = picture.matches("http").count();
        assert_eq!(
            addresses, 1,
            "the name of SVG's elements is the only address"
        );
        assert!(!picture.contains("url("));
    }
}
