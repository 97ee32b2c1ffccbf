/// Distance of `value` from the exact result, in units in the last place of the result.
///
/// NaN against NaN is 0; different kinds or signs, also of zero, are infinitely far. What is out of range counts as the
/// largest finite number, so an overflow may come an ulp early or late but no more.
public func ulpDistance(_ value: Float, from exact: Double) -> Double {
    guard isComparable(value.isNaN, value.sign, exact.isNaN, exact.sign) else { return .infinity }
    if exact.isNaN { return 0 }
    if exact.isInfinite || exact == 0 { return Double(value) == exact ? 0 : .infinity }
    let limit = Double(Float.greatestFiniteMagnitude)
    let wanted = min(abs(exact), limit), got = min(abs(Double(value)), limit)
    return abs(got - wanted) / Double(sign: .plus, exponent: max(wanted.exponent, -126) - 23, significand: 1)
}

#if arch(x86_64) && !os(Windows)
/// The format that results of doubles are checked in.
public typealias WiderThanDouble = Float80
#else
public typealias WiderThanDouble = Double
#endif

/// Distance of `value` from the exact result, in units in the last place of the result; rules as for `Float`.
public func ulpDistance(_ value: Double, from exact: WiderThanDouble) -> Double {
    guard isComparable(value.isNaN, value.sign, exact.isNaN, exact.sign) else { return .infinity }
    if exact.isNaN { return 0 }
    if exact.isInfinite || exact == 0 { return WiderThanDouble(value) == exact ? 0 : .infinity }
    let limit = WiderThanDouble(Double.greatestFiniteMagnitude)
    let wanted = min(abs(exact), limit), got = min(abs(WiderThanDouble(value)), limit)
    return Double(abs(got - wanted) / WiderThanDouble(sign: .plus, exponent: max(wanted.exponent, -1022) - 52, significand: 1))
}

private func isComparable(
    _ isNaN: Bool, _ sign: FloatingPointSign, _ exactIsNaN: Bool, _ exactSign: FloatingPointSign
) -> Bool {
    isNaN && exactIsNaN || !isNaN && !exactIsNaN && sign == exactSign
}
