internal import ArgumentParser
internal import Blocks
internal import ControlPlane
internal import Foundation
internal import Terminal

/// `varve usage`
struct UsageCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show what was stored and provisioned, for how long, and what it costs.",
        discussion: """
            Metered once an hour. Snapshots count with what they added to the store, volumes with their size. A GiB-month has
            730 hours. Without --from, since the beginning of the month. Times are UTC.

            Examples:
              varve usage --by volume
              varve usage --from 2026-10-01 --to 2026-11-01 --by day --output csv
            """)

    /// How it is shown.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv
    }

    @OptionGroup var server: ServerOptions
    @Option(help: "The first hour or day: 2026-11-01 or 2026-11-01T13:00:00Z.") var from: String?
    @Option(help: "The hour or day after the last.") var to: String?
    @Option(help: "volume, snapshot, region or day.") var by: String = UsageBy.region.rawValue
    @Option(help: "Another account, for the house's administrator.") var account: String?
    @Option(name: [.short, .long], help: "table for people, json or csv for programs.") var output: Format = .table

    func validate() throws {
        guard UsageBy(rawValue: by) != nil else {
            throw ValidationError("--by is '\(by)'; it is one of volume, snapshot, region, day.")
        }
    }

    func run(_ client: NativeClient) async throws {
        var query = ["by=\(by)"]
        for (name, value) in [("from", from), ("to", to), ("account", account)] {
            if let value { query.append("\(name)=\(try QueryValue.of(value))") }
        }
        let bytes = try await client.callRaw("GET", "/usage?" + query.joined(separator: "&"))
        if output == .json { return Output.json(bytes) }
        let report: UsageReport = try NativeClient.read(bytes)
        if output == .csv { return Self.csv(report).forEach(Output.line) }
        var table = Table(by.uppercased(), "WHAT", "TYPE", ">GIB-MONTHS", ">COST")
        for row in report.rows {
            table.add(row.key, row.kind.rawValue, row.type, Self.text(row.gibMonths), row.cost.map(Self.text) ?? "")
        }
        table.lines.forEach(Output.line)
        if let cost = report.cost { Output.line("\(Self.text(cost)) \(report.currency ?? "") in all") }
        if report.meteredTo < report.to { Output.note("metered up to \(report.meteredTo)") }
    }

    private static func csv(_ report: UsageReport) -> [String] {
        ["key,kind,type,byte_hours,gib_months,cost,currency"]
            + report.rows.map { row in
                [
                    row.key, row.kind.rawValue, row.type, "\(row.byteHours)", "\(row.gibMonths)",
                    row.cost.map { "\($0)" } ?? "", row.cost == nil ? "" : quoted(report.currency ?? ""),
                ].joined(separator: ",")
            }
    }

    /// The only field that may hold anything.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }

    private static func text(_ number: Double) -> String { String(format: "%.4f", number) }
}

/// A value in a query, such as a time or an id; what would need to be escaped is refused here.
enum QueryValue {
    static func of(_ text: String) throws -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (byte >= 48 && byte <= 58) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
                || byte == 45 || byte == 46
        }
        guard isPlain, !text.isEmpty, text.utf8.count <= 64 else {
            throw CommandFailure.usage("'\(text)' is no time and no id")
        }
        return text
    }
}
