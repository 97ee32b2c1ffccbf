import Foundation

/// A self-contained page of reports: tables, checks and figures as inline SVG.
///
/// Figures are drawn by gnuplot. Where it is not installed, their data and scripts are written beside the page, which
/// then says so.
public struct HTMLReport {
    public let reports: [Report]

    public init(_ reports: [Report]) { self.reports = reports }

    /// Writes `index.html`, and for each figure its data (`.tsv`) and script (`.gp`), into a folder that is made if needed.
    ///
    /// - Returns: whether gnuplot drew the figures (or there were none).
    @discardableResult
    public func write(to directory: URL) throws -> Bool {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var drawn = true
        var body = ""
        for report in reports {
            body += "<section><h2>\(escape(report.title))</h2><p>\(escape(report.claim))</p>"
            for table in report.tables { body += html(table) }
            for (index, figure) in report.figures.enumerated() {
                let name = "\(report.slug)-\(index + 1)"
                let svg = try draw(figure, name: name, in: directory)
                drawn = drawn && svg != nil
                body += "<figure>\(svg ?? "<p>gnuplot is not installed: data and script are in \(name).tsv and \(name).gp.</p>")"
                    + "<figcaption>\(escape(figure.title))</figcaption></figure>"
            }
            body += html(report.checks)
            body += "<p class=run>seed \(report.seed)\(report.quick ? ", quick" : ""), \(short(report.seconds)) s</p></section>"
        }
        let page = """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Descent: reproductions</title><style>
            body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
            table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:right}
            th:first-child,td:first-child{text-align:left}caption{text-align:left;font-weight:600}
            .fail{color:#b00020;font-weight:600}.run,figcaption,.source{color:#666;font-size:.85rem}figure{margin:1rem 0}
            </style></head><body><h1>Descent: reproductions</h1>\(body)</body></html>

            """
        try Data(page.utf8).write(to: directory.appendingPathComponent("index.html"))
        return drawn
    }

    private func html(_ table: Table) -> String {
        let head = table.columns.map { "<th>\(escape($0))</th>" }.joined()
        let rows = table.rows.map { "<tr>" + $0.map { "<td>\(escape($0))</td>" }.joined() + "</tr>" }.joined()
        return "<table><caption>\(escape(table.title))</caption><tr>\(head)</tr>\(rows)</table>"
    }

    private func html(_ checks: [Check]) -> String {
        let rows = checks.map { check in
            "<tr><td>\(escape(check.name))<br><span class=source>\(escape(check.source))</span></td><td>\(short(check.measured))</td>"
                + "<td>\(escape(check.relation.rawValue)) \(short(check.target))</td>"
                + (check.passed ? "<td>pass</td>" : "<td class=fail>fail</td>") + "</tr>"
        }.joined()
        return "<table><caption>Checks</caption><tr><th>check</th><th>measured</th><th>target</th><th></th></tr>\(rows)</table>"
    }

    /// The figure as an SVG element, or nil without gnuplot.
    private func draw(_ figure: Figure, name: String, in directory: URL) throws -> String? {
        let data = directory.appendingPathComponent(name + ".tsv")
        let script = directory.appendingPathComponent(name + ".gp")
        let picture = directory.appendingPathComponent(name + ".svg")
        // One block a series, two blank lines between blocks, as gnuplot's `index` wants.
        let blocks = figure.series.map { series in
            "# \(series.name)\n" + series.lines.joined(separator: "\n")
        }
        try Data((blocks.joined(separator: "\n\n\n") + "\n").utf8).write(to: data)
        func quoted(_ text: String) -> String {
            "\"" + text.filter { !$0.isNewline }.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
        }
        let plots = figure.series.enumerated().map { index, series in
            "\(quoted(name + ".tsv")) index \(index) \(series.command) title \(quoted(series.name))"
        }
        let commands = """
            set terminal svg size 720,420 dynamic font "sans,13"
            set output \(quoted(name + ".svg"))
            set xlabel \(quoted(figure.xLabel))
            set ylabel \(quoted(figure.yLabel))
            \(figure.logarithmicY ? "set logscale y" : "unset logscale y")
            \(figure.series.contains { $0.style == .image } ? "set autoscale fix; unset key; set palette defined (0 'white', 1 'dark-blue')" : "set grid")
            plot \(plots.joined(separator: ", "))

            """
        try Data(commands.utf8).write(to: script)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gnuplot", script.lastPathComponent]
        process.currentDirectoryURL = directory
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        process.waitUntilExit()
        guard process.terminationStatus == 0, let svg = try? String(contentsOf: picture, encoding: .utf8),
              let start = svg.range(of: "<svg") else { return nil }
        try FileManager.default.removeItem(at: picture)
        return String(svg[start.lowerBound...])
    }

    private func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;")
    }
}
