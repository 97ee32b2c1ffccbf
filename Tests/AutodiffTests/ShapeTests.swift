import Autodiff
import Foundation
import Testing

private typealias T = Tensor<Double>

/// Shapes of any number of axes and any extents behave alike, however a tensor keeps them.
@Suite struct ShapeTests {
    /// No axis, as many as fit in place, and more.
    private static let shapes: [[Int]] = (0...10).map { rank in (0..<rank).map { 1 + $0 % 3 % 2 } }

    @Test(arguments: shapes) func roundTrips(_ shape: [Int]) throws {
        let x = T(shape: shape, elements: (0..<shape.reduce(1, *)).map { Double($0) })
        #expect(x.shape == shape)
        #expect(x.rank == shape.count)
        #expect(x == T(shape: shape, elements: x.elements))
        #expect(x != x.reshaped([1] + shape) && x != x.reshaped(shape + [1]))
        #expect(x.flattened().reshaped(shape) == x)
        let decoded = try JSONDecoder().decode(T.self, from: JSONEncoder().encode(x))
        #expect(decoded == x)
    }

    /// ∇ Σ (x + xᵢ… ∘ w)² by the chain rule on the elements, with w broadcast along the first axes.
    @Test(arguments: shapes) func derivativesPass(_ shape: [Int]) {
        let count = shape.reduce(1, *)
        let x = T(shape: shape, elements: (0..<count).map { 0.5 * Double($0) - 1 })
        let w = T(shape: Array(shape.suffix(2)), elements: (0..<shape.suffix(2).reduce(1, *)).map { Double($0) + 2 })
        let derivative = gradient(of: { (p: [T]) in (p[0] + p[0] * p[1]).squared().sum() })([x, w])
        var ofX = [Double](), ofW = [Double](repeating: 0, count: w.count)
        for i in 0..<count {
            let a = x.elements[i], b = w.elements[i % w.count]
            ofX.append(2 * a * (1 + b) * (1 + b))
            ofW[i % w.count] += 2 * a * (1 + b) * a
        }
        #expect(derivative[0] == T(shape: shape, elements: ofX))
        #expect(derivative[1] == T(shape: w.shape, elements: ofW))
    }

    @Test func permutationsOfManyAxes() {
        let shape = [2, 1, 3, 1, 2, 1, 1, 2, 1, 3]
        let x = T(shape: shape, elements: (0..<72).map { Double($0) })
        let order = Array((0..<10).reversed())
        let y = x.transposed(order)
        #expect(y.shape == shape.reversed())
        #expect(y[2, 0, 1, 0, 0, 1, 0, 2, 0, 1] == x[1, 0, 2, 0, 1, 0, 0, 1, 0, 2])
        #expect(y.transposed(order) == x)
    }

    @Test(arguments: [1 << 31 - 1, 1 << 31, 1 << 31 + 1, 1 << 40]) func extentsBeyond32Bits(_ extent: Int) {
        let x = T(shape: [0, extent], elements: []), y = T(shape: [extent, 0], elements: [])
        #expect(x.shape == [0, extent] && y.shape == [extent, 0])
        #expect(x == T(shape: [0, extent], elements: []))
        #expect(x != y && x != T(shape: [0, extent + 1], elements: []))
        #expect((x + x).shape == [0, extent])
    }
}

/// Cotangents are summed in place where nothing else holds them.
@Suite struct CotangentTests {
    /// The cotangent of a sum is that of both terms; adding to the one must leave the other.
    @Test func sharedCotangentsStayApart() {
        let x = T([1, 2, 3]), b = T([4, 5, 6])
        // Σ (x + b)·x·… : b's cotangent arrives first, x's is added to.
        let derivative = gradient(of: { (p: [T]) in
            let y = p[0] + p[1]
            return (y + y * p[0] + p[0]).sum()
        })([x, b])
        #expect(derivative[0] == 2 + 2 * x + b)
        #expect(derivative[1] == 1 + x)
    }

    /// The caller's cotangent and a kept record are not written to.
    @Test func pullbackLeavesItsArgument() {
        let g = T([1, 1, 1])
        let pullback = vjp(of: { (x: T) in (x + x) + x * x })(T([1, 2, 3])).pullback
        let first = pullback(g), second = pullback(g)
        #expect(first == T([4, 6, 8]) && second == first)
        #expect(g == T([1, 1, 1]))
    }

    /// Parts and wholes of one vector, whichever comes first.
    @Test(arguments: [false, true]) func partsAndWholesAdd(_ partFirst: Bool) {
        let x = T([1, 2, 3, 4])
        let derivative = gradient(of: { (x: T) in
            let part = x.part(from: 1, shape: [2]).squared().sum()
            let whole = (3 * x).sum()
            let again = x.part(from: 2, shape: [2]).squared().sum()
            return partFirst ? part + again + whole + x.sum() : whole + x.sum() + part + again
        })(x)
        let other = gradient(of: { (x: T) in
            let whole = (3 * x).sum() + x.sum()
            let part = x.part(from: 1, shape: [2]).squared().sum()
            return partFirst ? whole + part : part + whole
        })(x)
        #expect(derivative == T([4, 8, 16, 12]))
        #expect(other == T([4, 8, 10, 4]))
    }
}
