import Foundation
import Kernels
import LinearAlgebra
import Testing

@Suite struct BLASLibraryTests {
    @Test func namesItself() {
        #expect(BLASLibrary.configuration.contains("OpenBLAS"))
        #expect(!BLASLibrary.core.isEmpty)
    }

    /// Prescott's kernels have no wide vectors: OpenBLAS falls back on them for a processor that it does not know.
    @Test(.enabled(if: KernelTier.avx2.isSupported && ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil))
    func usesTheVectorsThatThereAre() {
        let n = 50
        let a = Matrix<Double>(rows: n, columns: n, elements: (0..<n * n).map { Double($0 % 7) - 3 })
        let product = a * a
        #expect(BLASLibrary.core != "Prescott")
        // Whole numbers, so exact with any kernels.
        for (i, j) in [(0, 0), (3, 41), (49, 49)] {
            #expect(product[i, j] == (0..<n).reduce(0) { $0 + a[i, $1] * a[$1, j] })
        }
    }

    // In processes of their own, since the thread count is the process's.

    @Test func threadCountFollowsTheSetting() async {
        await #expect(processExitsWith: .success) {
            let a = Matrix<Double>.identity(8)
            for count in [1, 2, 1, 2] {
                Threads.count = count
                _ = a * a
                precondition(BLASLibrary.threadCount == count)
                _ = try Cholesky(a)
                precondition(BLASLibrary.threadCount == count)
            }
        }
    }

    @Test func oneThreadInsideAParallelRegion() async {
        await #expect(processExitsWith: .success) {
            Threads.count = 2
            _ = Matrix<Double>.identity(8) * Matrix<Double>.identity(8)
            precondition(BLASLibrary.threadCount == 2)
            concurrentPerform(iterations: 64) { _ in
                let a = Matrix<Double>.identity(20)
                precondition(a * a == a)
                precondition(BLASLibrary.threadCount == 1)
            }
            _ = Matrix<Double>.identity(8) * Matrix<Double>.identity(8)
            precondition(BLASLibrary.threadCount == 2)
        }
    }

    @Test func factorisationsAgreeForOneAndTwoThreads() async {
        await #expect(processExitsWith: .success) {
            let n = 300
            var random = TestRandom(9)
            let a: Matrix<Double> = random.matrix(n, n), spd = random.positiveDefinite(n, Double.self)
            func results(_ count: Int) throws -> [Matrix<Double>] {
                Threads.count = count
                return try [Cholesky(spd).lower, QR(a).r, Matrix(rows: 1, columns: n, elements: SVD.singularValues(of: a)),
                            Matrix(rows: 1, columns: n, elements: SymmetricEigen.values(of: spd)), LU(spd).inverse()]
            }
            for (one, two) in zip(try results(1), try results(2)) {
                precondition(distance(one, two) <= 1e-11 * (1 + one.maxNorm))
            }
        }
    }

    @Test func callersWithDifferentCountsDoNotBlockForEver() async {
        await #expect(processExitsWith: .success) {
            Threads.count = 2
            // Top-level tasks want two threads while regions want one.
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        let a = Matrix<Double>(rows: 60, columns: 60) { Double(($0 * 7 + $1 * task) % 5) }
                        let expected = a * a
                        for _ in 0..<50 {
                            if task % 2 == 0 {
                                precondition(a * a == expected || (a * a).isApproximatelyEqual(to: expected))
                            } else {
                                concurrentPerform(iterations: 4) { _ in
                                    precondition((a * a).isApproximatelyEqual(to: expected))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
