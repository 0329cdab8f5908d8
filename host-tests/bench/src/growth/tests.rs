//! Series of rows whose samples are made up.

use super::*;
use crate::contender::Contender;
use crate::plan::Point as Place;
use crate::ratio::tests::measured;

/// A row of a series, with what each round cost in microseconds.
fn row(series: &'static str, size: usize, costs: &[f64]) -> Row {
    let rounds: Vec<_> = costs.iter().map(|cost| (1e6 / cost, 1.0)).collect();
    Row {
        point: Some(Place { series, size }),
        headers: size,
        ..measured(Contender::Hallpass, &rounds)
    }
}

fn group(id: &str, rows: Vec<Row>) -> Group {
    Group {
        id: id.to_owned(),
        title: String::new(),
        workers: 1,
        rows,
        comparisons: Vec::new(),
    }
}

fn growth(group: Group) -> Vec<Series> {
    Growth::new(&[group], &Alone::default()).0
}

/// The median of each size's cost to that of the smallest, in hundredths.
fn hundredths(series: &Series) -> Vec<Option<f64>> {
    let points = series.points.iter();
    points
        .map(|point| Some((point.to_smallest?.median * 100.0).round()))
        .collect()
}

#[test]
fn each_round_is_compared_with_the_same_round_of_the_smallest_size() {
    // The machine became twice as slow, which changes no ratio.
    let rows = vec![
        row(HALLPASS, 1, &[10.0, 20.0]),
        row(HALLPASS, 10, &[11.0, 22.0]),
        row(HALLPASS, 100, &[12.0, 24.0]),
    ];
    let all = growth(group("g", rows));
    assert_eq!(all.len(), 1);
    assert_eq!(hundredths(&all[0]), [Some(100.0), Some(110.0), Some(120.0)]);
    assert_eq!(all[0].shape, Some(Shape::Logarithmic));
}

#[test]
fn what_hallpass_adds_to_the_stripped_filter_is_a_series_of_its_own() {
    let rows = vec![
        row("plain", 1, &[5.0]),
        row("plain", 100, &[50.0]),
        row(STRIPPED, 1, &[10.0]),
        row(STRIPPED, 100, &[100.0]),
        row(HALLPASS, 1, &[20.0]),
        row(HALLPASS, 100, &[110.0]),
    ];
    let all = growth(group("g", rows));
    let told = all.iter().map(|series| (series.name, series.less));
    let told: Vec<_> = told.collect();
    let expected = [
        ("plain", None),
        (STRIPPED, None),
        (HALLPASS, None),
        (HALLPASS, Some(STRIPPED)),
    ];
    assert_eq!(told, expected);
    assert_eq!(hundredths(&all[3]), [Some(100.0), Some(100.0)]);
    let shapes: Vec<_> = all.iter().map(|series| series.shape).collect();
    let [constant, linear] = [Shape::Constant, Shape::Linear].map(Some);
    assert_eq!(shapes, [linear, linear, linear, constant]);
}

#[test]
fn differences_are_compared_with_the_median_of_the_smallest_sizes() {
    let rows = vec![
        row(STRIPPED, 1, &[10.0, 10.0, 10.0]),
        row(STRIPPED, 100, &[100.0, 100.0, 100.0]),
        row(HALLPASS, 1, &[10.1, 20.0, 21.0]),
        row(HALLPASS, 100, &[111.0, 110.0, 112.0]),
    ];
    let all = growth(group("g", rows));
    assert_eq!(hundredths(&all[2]), [Some(100.0), Some(110.0)]);
}

#[test]
fn a_difference_that_is_lost_in_the_noise_has_no_shape() {
    let rows = vec![
        row(STRIPPED, 1, &[5.0]),
        row(STRIPPED, 100, &[5.0]),
        row(HALLPASS, 1, &[5.0]),
        row(HALLPASS, 100, &[9.0]),
    ];
    let all = growth(group("g", rows));
    assert_eq!(hundredths(&all[2]), [None, None]);
    assert_eq!(all[2].shape, None);

    let below_nothing = vec![
        row(STRIPPED, 1, &[5.0]),
        row(STRIPPED, 100, &[50.0]),
        row(HALLPASS, 1, &[10.0]),
        row(HALLPASS, 100, &[45.0]),
    ];
    let all = growth(group("g", below_nothing));
    assert_eq!(all[2].shape, None);
}

#[test]
fn a_size_without_figures_leaves_its_series_without_a_shape() {
    let spoilt = Row {
        fault: Some("a premise did not hold".to_owned()),
        ..row(HALLPASS, 100, &[10.0])
    };
    let all = growth(group("g", vec![row(HALLPASS, 1, &[10.0]), spoilt]));
    assert_eq!(hundredths(&all[0]), [Some(100.0), None]);
    assert_eq!(all[0].shape, None);
}

#[test]
fn the_bound_of_what_is_constant_is_that_of_the_groups_target() {
    let shape_of = |id| {
        let rows = vec![row(HALLPASS, 1, &[100.0]), row(HALLPASS, 100, &[114.0])];
        growth(group(id, rows))[0].shape
    };
    assert_eq!(shape_of("growth-tokens"), Some(Shape::Constant));
    assert_eq!(shape_of("growth-resources"), Some(Shape::Linear));
    assert_eq!(shape_of("without a target"), Some(Shape::Linear));
}

#[test]
fn what_a_proxy_holds_is_told_beside_what_that_of_the_smallest_size_holds() {
    let rows = vec![
        row(HALLPASS, 1, &[10.0]),
        row(HALLPASS, 10, &[10.0]),
        row(HALLPASS, 100, &[10.0]),
    ];
    let held = [Ok(1_000), Ok(900), Err("no premise held".to_owned())];
    let alone = Alone::of_rows(rows.iter().zip(held));
    let all = Growth::new(&[group("g", rows)], &alone);
    assert!(!all.is_complete());
    let points = all.0[0].points.iter();
    let told: Vec<_> = points
        .map(|point| (point.resident_kib, point.more_kib, point.fault.is_some()))
        .collect();
    let expected = [
        (Some(1_000), Some(0), false),
        (Some(900), Some(-100), false),
        (None, None, true),
    ];
    assert_eq!(told, expected);
}
