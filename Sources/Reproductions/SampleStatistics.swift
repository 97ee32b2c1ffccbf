/// The mean.
func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }

/// The standard deviation, with n − 1.
func deviation(_ x: [Double]) -> Double {
    let center = mean(x)
    return (x.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(x.count - 1)).squareRoot()
}

/// exp of the mean logarithm, for numbers that spread over orders of magnitude.
func geometricMean(_ x: [Double]) -> Double { Double.exp(mean(x.map { Double.log($0) })) }
