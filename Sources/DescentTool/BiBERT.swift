import ArgumentParser
import Descent
import Foundation

struct BiBERT: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bibert", abstract: "Train, pack and run fully binarised text classifiers on your own tables.",
        subcommands: [TrainStudent.self, Export.self, Classify.self, Account.self])

    /// Where a table holds what.
    struct ColumnOptions: ParsableArguments {
        @Option(help: "A task of GLUE, for its columns: \(SentenceTable.Columns.glue.keys.sorted().joined(separator: ", ")).")
        var task: String?

        @Option(help: "The column of the text: its name in the header, or its number from 0 with --no-header.")
        var text = "sentence"

        @Option(help: "The column of a second text.")
        var pair: String?

        @Option(help: "The column of the label.")
        var label = "label"

        @Flag(inversion: .prefixedNo, help: "Whether the first line names the columns.")
        var header = true

        func columns(hasLabels: Bool) throws -> SentenceTable.Columns {
            if let task {
                guard var columns = SentenceTable.Columns.glue[task] else {
                    throw ValidationError("'\(task)' is no task; expected one of \(SentenceTable.Columns.glue.keys.sorted().joined(separator: ", ")).")
                }
                if !hasLabels { columns.label = nil }
                return columns
            }
            func column(_ name: String) throws -> SentenceTable.Columns.Column {
                if header { return .name(name) }
                guard let number = Int(name), number >= 0 else {
                    throw ValidationError("'\(name)' is no number of a column; with --no-header columns are numbers from 0.")
                }
                return .number(number)
            }
            return SentenceTable.Columns(
                text: try column(text), pair: try pair.map(column), label: hasLabels ? try column(label) : nil, hasHeader: header)
        }
    }

    /// A tokeniser from a file of pieces.
    struct VocabularyOptions: ParsableArguments {
        @Option(help: "The vocabulary: one piece a line, as BERT's vocab.txt.")
        var vocabulary: String

        @Flag(help: "Keep upper case and accents: the vocabulary is a cased one.")
        var cased = false

        @Option(help: "Tokens a text is cut to.")
        var length = 128

        func tokenizer() throws -> WordPieceTokenizer { try WordPieceTokenizer(path: vocabulary, isLowercased: !cased) }

        func validate() throws {
            if length < 3 { throw ValidationError("--length is \(length); expected at least 3.") }
        }
    }

    struct TrainStudent: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "train", abstract: "Train a full-precision teacher and distil a binary student from it.",
            discussion: "With --teacher both begin with a BERT checkpoint in the Hugging Face layout; without, with a small new encoder.")

        @Argument(help: "The table to train on.")
        var table: String

        @Option(help: "A table to judge both models by.")
        var validation: String?

        @Option(name: .shortAndLong, help: "Where the student goes.")
        var output = "student.safetensors"

        @OptionGroup var columns: ColumnOptions
        @OptionGroup var vocabulary: VocabularyOptions

        @Option(help: "A BERT checkpoint in safetensors.")
        var teacher: String?

        @Option(help: "Heads of attention.")
        var heads = 12

        @Option(help: "Size of a new encoder.")
        var size = 192

        @Option(help: "Layers of a new encoder.")
        var layers = 4

        @Option(help: "Epochs of the teacher; 0 for one that is fine-tuned already.")
        var teacherEpochs = 3

        @Option(help: "The teacher's step size.")
        var teacherRate = 2e-5

        @Option(help: "Epochs of the student.")
        var epochs = 10

        @Option(help: "The student's step size.")
        var learningRate = 1e-4

        @Option(help: "Weight of the direction-matching and hidden-state losses beside the prediction's.")
        var matching = 1.0

        @Option(help: "Examples in a step.")
        var batchSize = 16

        @Option(help: "The seed of parameters, order and drop-out.")
        var seed: UInt64 = 42

        func validate() throws {
            if epochs < 1 || teacherEpochs < 0 || batchSize < 1 { throw ValidationError("Epochs and batch size must be positive.") }
            if size < 1 || layers < 1 || heads < 1 || teacher == nil && size % heads != 0 {
                throw ValidationError("\(layers) layers of \(size) with \(heads) heads; expected positive numbers, and heads that divide the size.")
            }
            if !(matching >= 0 && learningRate >= 0 && teacherRate >= 0) { throw ValidationError("Rates and weights must not be negative.") }
        }

        func run() throws {
            try DescentTool.checkEnvironment()
            let tokenizer = try vocabulary.tokenizer(), layout = try columns.columns(hasLabels: true)
            let table = try SentenceTable(path: table, columns: layout), classNames = table.classNames
            let examples = try table.examples(tokenizer, length: vocabulary.length, classNames: classNames)
            let judged = try validation.map {
                try SentenceTable(path: $0, columns: layout).examples(tokenizer, length: vocabulary.length, classNames: classNames)
            }
            guard examples.count > 0 else { throw ValidationError("\(self.table) has no rows.") }
            let pretrained = try teacher.map { try Network.bertClassifier(path: $0, heads: heads, classes: classNames.count, seed: seed) }
            var configuration = TransformerEncoder<Float>.Configuration()
            if let pretrained {
                configuration = pretrained.network.body.encoder.configuration
            } else {
                (configuration.vocabularySize, configuration.size, configuration.layers) = (tokenizer.vocabulary.count, size, layers)
                (configuration.heads, configuration.hidden, configuration.maximumLength) = (heads, 4 * size, max(vocabulary.length, 3))
            }
            guard configuration.vocabularySize >= tokenizer.vocabulary.count else {
                throw ValidationError("The vocabulary has \(tokenizer.vocabulary.count) pieces; the checkpoint has embeddings for \(configuration.vocabularySize).")
            }
            guard configuration.maximumLength >= vocabulary.length else {
                throw ValidationError("--length is \(vocabulary.length); the checkpoint has places for \(configuration.maximumLength).")
            }
            let stages = BinarizationStages(configuration, classes: classNames.count, batchSize: batchSize, seed: seed)
            print("\(examples.count) rows, classes \(classNames.joined(separator: ", ")); \(stages.student.parameterCount) parameters")
            let bar = ProgressBar()
            func show(_ stage: String) -> (TrainingProgress) -> TrainingProgress.Reaction {
                { progress in
                    bar.show((Double(progress.epoch) + progress.fraction) / Double(progress.epochs), "\(stage), loss \(short(progress.loss))")
                    return .goOn
                }
            }
            var parameters = pretrained?.parameters ?? stages.teacher.initialParameters(seed: seed)
            if teacherEpochs > 0 {
                parameters = try stages.trainTeacher(
                    on: examples, from: parameters, epochs: teacherEpochs, learningRate: teacherRate, observer: show("teacher"))
            }
            let student = try stages.trainStudent(
                on: examples, teacher: parameters, weights: .init(direction: matching, hidden: matching, prediction: 1), epochs: epochs,
                learningRate: learningRate, observer: show("student"))
            bar.clear()
            if let judged {
                print("teacher accuracy \(percent(accuracy(stages.teacher, parameters, judged))), student \(percent(accuracy(stages.student, student, judged)))")
            }
            try StudentCheckpoint(student, of: stages.student, classNames: classNames).write(to: output)
            print("wrote \(output); `descent bibert export` packs it")
        }

        private func accuracy<Body: Module>(_ network: Network<Body>, _ parameters: [Float], _ examples: TokenExamples) -> Double
        where Body.Input == TokenBatch, Body.Scalar == Float {
            let tensor = Tensor(parameters)
            var right = 0
            for start in stride(from: 0, to: examples.count, by: 64) {
                let (batch, labels) = examples.batch(Array(start..<min(examples.count, start + 64)))
                right += zip(network(batch, tensor).argmax(), labels).count { $0 == $1 }
            }
            return Double(right) / Double(max(1, examples.count))
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Pack a trained student into bits.")

        @Argument(help: "What `descent bibert train` wrote.")
        var student: String

        @Argument(help: "Where the packed model goes.")
        var packed: String

        func run() throws {
            let checkpoint = try StudentCheckpoint(path: student)
            let model = try BinarizedClassifier(checkpoint.parameters, of: checkpoint.network, classNames: checkpoint.classNames)
            try model.write(to: packed)
            print("wrote \(packed): \(short(Double(model.residentBytes) / 1024)) KiB in memory, \(short(Double(4 * checkpoint.parameters.count) / 1024)) KiB in floats")
        }
    }

    struct Classify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Classify texts with a packed model: one class a line.",
            discussion: "Texts are those of a table, or the lines of the standard input.")

        @Argument(help: "What `descent bibert export` wrote.")
        var packed: String

        @Option(help: "A table of texts.")
        var table: String?

        @OptionGroup var columns: ColumnOptions
        @OptionGroup var vocabulary: VocabularyOptions

        func run() throws {
            try DescentTool.checkEnvironment()
            let model = try BinarizedClassifier(path: packed), tokenizer = try vocabulary.tokenizer()
            let length = min(vocabulary.length, model.encoder.configuration.maximumLength)
            var encoded: [(tokens: [Int], segments: [Int])] = []
            if let table {
                encoded = try SentenceTable(path: table, columns: columns.columns(hasLabels: false)).tokenized(tokenizer, length: length)
            } else {
                while let line = readLine() { encoded.append(tokenizer.encode(line, length: length)) }
            }
            for start in stride(from: 0, to: encoded.count, by: 32) {
                let part = encoded[start..<min(encoded.count, start + 32)]
                let examples = TokenExamples(
                    part.map(\.tokens), segments: part.map(\.segments), labels: [Int](repeating: 0, count: part.count))
                for choice in try model(examples.batch(Array(0..<part.count)).input).argmax() { print(model.classNames[choice]) }
            }
        }
    }

    struct Account: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show size and operations of BERT-base, as the paper counts them.")

        @Option(help: "Tokens a sequence.")
        var length = 128

        func validate() throws {
            if length < 1 { throw ValidationError("--length is \(length); expected at least 1.") }
        }

        func run() { print(EncoderAccounting(.init(), length: length).table) }
    }
}

private func short(_ x: Double) -> String { String(format: "%.4g", x) }
private func percent(_ x: Double) -> String { String(format: "%.1f %%", 100 * x) }
