import Kernels

/// What surrounds an image before windows move over it: zeros, in rows and columns.
public enum WindowPadding: Sendable, Hashable {
    /// None: windows lie inside the image. The result has ⌊(extent − window)/stride⌋ + 1 places.
    case valid
    /// As much as gives ⌈extent/stride⌉ places, evenly on both sides; an odd row or column goes to the end.
    ///
    /// As in JAX and TensorFlow. Differs from PyTorch, whose `"same"` refuses a stride above 1.
    case same
    /// These numbers of rows and columns.
    case explicit(top: Int, bottom: Int, left: Int, right: Int)
}

/// How windows lie on images: place (i, j) of the result has the window whose first element is row i·stride − before of the image, and
/// likewise for columns. Layouts are NHWC: images, rows, columns, channels.
struct WindowForm: Sendable, Equatable {
    /// One axis.
    struct Axis: Sendable, Equatable {
        let extent: Int, window: Int, stride: Int, before: Int, places: Int

        /// What the windows of some places cover together: where it starts in the image, how long it is, and which part of it lies inside.
        func covered(by places: Range<Int>) -> (start: Int, length: Int, inside: Range<Int>) {
            let start = places.lowerBound * stride - before, length = (places.count - 1) * stride + window
            let first = min(length, max(0, -start))
            return (start, length, first..<max(first, min(length, extent - start)))
        }
    }

    let images: Int, channels: Int
    let rows: Axis, columns: Axis

    var imageShape: [Int] { [images, rows.extent, columns.extent, channels] }

    init(_ images: Int, _ channels: Int, _ rows: Axis, _ columns: Axis) {
        (self.images, self.channels, self.rows, self.columns) = (images, channels, rows, columns)
    }

    /// Windows on images of a given shape.
    init(
        _ shape: [Int], _ window: (Int, Int), _ stride: (Int, Int), _ padding: WindowPadding, _ operation: String
    ) {
        require(shape.count == 4, "\(operation) of a tensor of shape \(shape); expected [images, rows, columns, channels]")
        let (top, bottom, left, right) = padding.amounts(operation)
        func axis(_ name: String, _ extent: Int, _ window: Int, _ stride: Int, _ before: Int?, _ after: Int?) -> Axis {
            requireWindow(name, window, stride, operation)
            guard let before, let after else {
                let places = (extent + stride - 1) / stride
                let total = max(0, (places - 1) * stride + window - extent)
                return Axis(extent: extent, window: window, stride: stride, before: total / 2, places: places)
            }
            let padded = extent + before + after
            require(padded >= window, "\(operation): window of \(window) \(name) on \(padded) (padding included); expected at most as many")
            return Axis(extent: extent, window: window, stride: stride, before: before, places: (padded - window) / stride + 1)
        }
        self.init(shape[0], shape[3], axis("rows", shape[1], window.0, stride.0, top, bottom),
                  axis("columns", shape[2], window.1, stride.1, left, right))
    }
}

func requireWindow(_ name: String, _ window: Int, _ stride: Int, _ operation: String) {
    require(window >= 1, "\(operation): window has \(window) \(name); expected at least 1")
    require(stride >= 1, "\(operation): stride is \(stride) for \(name); expected at least 1")
}

extension WindowPadding {
    /// `nil` for ``same``, where they follow from the extents.
    func amounts(_ operation: String) -> (top: Int?, bottom: Int?, left: Int?, right: Int?) {
        switch self {
        case .valid: return (0, 0, 0, 0)
        case .same: return (nil, nil, nil, nil)
        case .explicit(let top, let bottom, let left, let right):
            require(min(top, bottom, left, right) >= 0,
                    "\(operation): padding is \(top), \(bottom), \(left), \(right); expected no negative number")
            return (top, bottom, left, right)
        }
    }
}
