internal import ArgumentParser
internal import Blocks
internal import ControlPlane
internal import Terminal

/// `varve snapshot fast ...`
struct SnapshotFast: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fast", abstract: "Keep all of a snapshot on the local disk, for volumes made of it.",
        subcommands: [SnapshotFastEnable.self, SnapshotFastDisable.self, SnapshotFastList.self])
}

/// What the API answers.
struct FastRestores: Decodable {
    let fastRestores: [FastRestoreView]
}

/// `varve snapshot fast enable`
struct SnapshotFastEnable: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Fetch all of a snapshot onto the local disk, and keep it there.",
        discussion: """
            A volume that is made of the snapshot then needs nothing of the store. The copy takes as much space as the
            snapshot has data; volumes come first, so where there is no room for it, it waits.

            Example:
              varve snapshot fast enable snap-0123456789abcdef0 --wait
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: "A zone; without it the region's first.") var zone: String?
    @Flag(help: "Return when all of it is here.") var wait = false

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let zone { fields["zone"] = .text(zone) }
        var state: FastRestoreView = try await client.call(
            "PUT", "/snapshots/\(Segment.of(id))/fast-restore", fields)
        if wait { state = try await FastRestoreProgress.follow(state, client) }
        if format.output == .json { return try Output.json(of: state) }
        if !wait { Output.line(state.sentence) }
    }
}

/// `varve snapshot fast disable`
struct SnapshotFastDisable: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Keep a snapshot on the local disk no more.",
        discussion: """
            Volumes that were made of it go on with what the store has.

            Example:
              varve snapshot fast disable snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: "A zone; without it the region's first.") var zone: String?

    func run(_ client: NativeClient) async throws {
        let query = try zone.map { "?zone=\(try QueryValue.of($0))" } ?? ""
        _ = try await client.callRaw("DELETE", "/snapshots/\(Segment.of(id))/fast-restore\(query)")
    }
}

/// `varve snapshot fast list`
struct SnapshotFastList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the snapshots that are kept on the local disk, and how far that is.",
        discussion: """
            Example:
              varve snapshot fast list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/fast-restores")
        if format.output == .json { return Output.json(bytes) }
        let all: FastRestores = try NativeClient.read(bytes)
        var table = Table("SNAPSHOT", "ZONE", "STATE", "SINCE", "HERE", "REASON")
        for one in all.fastRestores {
            table.add(
                one.snapshotId, one.zone, one.state.rawValue, LocalTime.text(one.since), one.here, one.reason ?? "")
        }
        table.lines.forEach(Output.line)
    }
}

extension FastRestoreView {
    /// When it came to its state.
    fileprivate var since: WallTime {
        switch state {
        case .enabling: enablingAt
        case .optimizing: optimizingAt ?? enablingAt
        case .enabled: enabledAt ?? enablingAt
        case .disabling: disablingAt ?? enablingAt
        case .disabled: disabledAt ?? enablingAt
        }
    }

    /// How much is here, and how long the rest takes.
    fileprivate var here: String {
        guard state == .optimizing || state == .enabled else { return "" }
        let left = remainingSeconds.map { ", \(Seconds.text(.seconds($0))) left" } ?? ""
        return "\(Int(progress * 100)) %\(left)"
    }

    /// Where it is, in words.
    fileprivate var sentence: String {
        let text = "\(snapshotId) in \(zone): \(state.rawValue)"
        return text + (here.isEmpty ? "" : ", \(here)") + (reason.map { " (\($0))" } ?? "")
    }
}

/// Watches until all of a snapshot is here, with a progress bar on a terminal.
enum FastRestoreProgress {
    /// - Returns: what it has come to.
    /// - Throws: ``CommandFailure`` when it was taken back meanwhile.
    static func follow(_ first: FastRestoreView, _ client: NativeClient) async throws -> FastRestoreView {
        let painter = ProgressPainter("Fetching \(first.snapshotId)", total: nil)
        defer { painter.finish() }
        let pauses = Pauses()
        var present = first
        while present.state == .enabling || present.state == .optimizing {
            painter.note(share: present.progress)
            try await pauses.next()
            let all: FastRestores = try await client.call("GET", "/fast-restores")
            let found = all.fastRestores.first { $0.snapshotId == first.snapshotId && $0.zone == first.zone }
            guard let found else { break }
            present = found
        }
        guard present.state == .enabled else {
            throw CommandFailure.refused("the snapshot \(first.snapshotId) is not restored fast any more")
        }
        return present
    }
}
