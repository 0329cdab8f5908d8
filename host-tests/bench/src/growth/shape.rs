//! How a cost grows with a size, told from a few points by a plain rule.

use serde::Serialize;

/// A law that a cost grows by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    Constant,
    Logarithmic,
    /// Also whatever grows faster.
    Linear,
}

/// What something of this size costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) size: f64,
    pub(super) cost: f64,
}

impl Shape {
    /// The cost is constant if the largest size costs at most `bound` times what the smallest does. Otherwise a straight line is laid
    /// through the costs, so that the squares of their distances from it are least: once over the sizes, and once over the sizes'
    /// logarithms. The one that they are closer to tells the shape. Two points lie on either line, and are linear: the worse.
    ///
    /// `None` when there are not two points. They are ordered by size.
    pub(super) fn of(points: &[Cost], bound: f64) -> Option<Self> {
        let [smallest, .., largest] = points else {
            return None;
        };
        if largest.cost <= bound * smallest.cost {
            return Some(Self::Constant);
        }
        let over = |scale: fn(f64) -> f64| distance_from_line(points, scale);
        Some(if points.len() > 2 && over(f64::ln) < over(|size| size) {
            Self::Logarithmic
        } else {
            Self::Linear
        })
    }

    /// How it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Logarithmic => "logarithmic",
            Self::Linear => "linear",
        }
    }
}

/// The sum of the squares of the costs' distances from the straight line that makes it least.
fn distance_from_line(points: &[Cost], scale: fn(f64) -> f64) -> f64 {
    let mean = |of: &dyn Fn(&Cost) -> f64| {
        let (sum, count) = points.iter().fold((0.0, 0.0), |(sum, count), point| {
            (sum + of(point), count + 1.0)
        });
        sum / count
    };
    let size = |point: &Cost| scale(point.size);
    let (mean_size, mean_cost) = (mean(&size), mean(&|point| point.cost));
    let off_size = |point: &Cost| size(point) - mean_size;
    let off_cost = |point: &Cost| point.cost - mean_cost;
    let slope =
        mean(&|point| off_size(point) * off_cost(point)) / mean(&|point| off_size(point).powi(2));
    let off_line = |point: &Cost| off_cost(point) - slope * off_size(point);
    points.iter().map(|point| off_line(point).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(points: &[(f64, f64)]) -> Option<Shape> {
        let points: Vec<_> = points
            .iter()
            .map(|&(size, cost)| Cost { size, cost })
            .collect();
        Shape::of(&points, 1.1)
    }

    #[test]
    fn what_stays_within_the_bound_is_constant_whatever_lies_between() {
        assert_eq!(
            shape(&[(1.0, 10.0), (1_000.0, 11.0)]),
            Some(Shape::Constant)
        );
        assert_eq!(shape(&[(1.0, 10.0), (1_000.0, 7.0)]), Some(Shape::Constant));
        let with_a_peak = [(1.0, 10.0), (100.0, 13.0), (1_000.0, 10.5)];
        assert_eq!(shape(&with_a_peak), Some(Shape::Constant));
        assert_ne!(
            shape(&[(1.0, 10.0), (1_000.0, 11.2)]),
            Some(Shape::Constant)
        );
    }

    #[test]
    fn what_grows_by_as_much_with_each_multiple_is_logarithmic() {
        let with_each_tenfold = [(1.0, 10.0), (10.0, 12.0), (100.0, 14.0)];
        assert_eq!(shape(&with_each_tenfold), Some(Shape::Logarithmic));
        let nearly = [(100.0, 10.0), (10_000.0, 13.5), (100_000.0, 15.5)];
        assert_eq!(shape(&nearly), Some(Shape::Logarithmic));
    }

    #[test]
    fn what_grows_in_proportion_or_faster_is_linear() {
        let in_proportion = [(1.0, 10.0), (100.0, 11.0), (1_000.0, 20.0)];
        assert_eq!(shape(&in_proportion), Some(Shape::Linear));
        let nearly = [(1.0, 10.0), (10.0, 10.4), (100.0, 15.0)];
        assert_eq!(shape(&nearly), Some(Shape::Linear));
        let squared = [(1.0, 10.0), (10.0, 11.0), (100.0, 110.0)];
        assert_eq!(shape(&squared), Some(Shape::Linear));
    }

    #[test]
    fn two_points_that_grow_are_called_the_worse_and_one_is_called_nothing() {
        // However the distances from either line are rounded.
        for size in 2..100 {
            let points = [(1.0, 0.1), (f64::from(size), 0.7)];
            assert_eq!(shape(&points), Some(Shape::Linear), "{size}");
        }
        assert_eq!(shape(&[(1.0, 10.0)]), None);
        assert_eq!(shape(&[]), None);
    }
}
