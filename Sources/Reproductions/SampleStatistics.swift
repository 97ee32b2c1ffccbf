/// The mean.
func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }

/// The standard deviation, with n − 1.
func deviation(_ x: [Double]) -> Double {
    let center = mean(x)
    return (x.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(x.count - 1)).squareRoot()
}

/// exp of the mean logarithm, for numbers that spread over orders of magnitude.
func geometricMean(_ x: [Double]) -> Double { Double.exp(mean(x.map { Double.log($0) })) }

/// The slope of y in x by least squares.
func fittedSlope(_ x: [Double], _ y: [Double]) -> Double {
    let (mx, my) = (mean(x), mean(y))
    return zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) } / x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
}

/// The exponent p of y ≈ c xᵖ, by least squares of the logarithms.
func logSlope(_ x: [Double], _ y: [Double]) -> Double { fittedSlope(x.map { Double.log($0) }, y.map { Double.log($0) }) }
