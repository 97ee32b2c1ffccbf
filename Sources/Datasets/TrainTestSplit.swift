import Kernels
import Randomness

extension Dataset {
    /// Two parts of the data, drawn without replacement.
    ///
    /// - `fraction`: The share of the test part; round(`fraction` · ``count``) examples go there.
    /// - `stratified`: Whether each class is split in this ratio. Then each class gives the rounded-down number, and the classes with
    ///   the largest remainders one more until the total is right.
    /// - Precondition: `fraction` lies in 0...1; a stratified split needs classes.
    public func trainTestSplit(
        testFraction fraction: Double = 0.25, seed: UInt64, stratified: Bool = false
    ) -> (train: Dataset, test: Dataset) {
        require((0...1).contains(fraction), "test fraction is \(fraction); expected 0 to 1")
        var stream = RandomStream(seed: seed)
        let order = stream.permutation(of: count)
        let testCount = Int((fraction * Double(count)).rounded())
        guard stratified else { return (subset(Array(order[testCount...])), subset(Array(order[..<testCount]))) }

        guard case .classes(let labels, let names) = target else {
            fatalError("a stratified split of \(name), whose target is a number; expected classes")
        }
        let quota = names.indices.map { c in fraction * Double(labels.count { $0 == c }) }
        var taken = quota.map { Int($0) }
        let byRemainder = quota.indices.sorted { quota[$0] - Double(taken[$0]) > quota[$1] - Double(taken[$1]) }
        for c in byRemainder.prefix(testCount - taken.reduce(0, +)) { taken[c] += 1 }
        var train: [Int] = [], test: [Int] = []
        for i in order {
            if taken[labels[i]] > 0 {
                taken[labels[i]] -= 1
                test.append(i)
            } else {
                train.append(i)
            }
        }
        return (subset(train), subset(test))
    }
}
