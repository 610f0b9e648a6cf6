internal import ArgumentParser
internal import Blocks
internal import ControlPlane
internal import Foundation

/// `varve instance quiesce`
struct InstanceQuiesce: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "quiesce",
        abstract: "Bring an instance's host to rest while snapshots of its volumes are cut that ask for it.",
        discussion: """
            Runs on the host in the foreground, as a service manager likes it. When a snapshot asks for it (varve snapshot
            create --quiesce, or a policy), the program --before runs, the file systems of --freeze are frozen, in this order,
            the snapshot is cut, they thaw and --after runs. That takes a fraction of a second; a host that is not told to go
            on does so by itself, also if this command is killed.

            A snapshot is consistent for its application if --before ended well and all was frozen, for its file systems if only
            the latter is so: name every file system on the instance's volumes, for what is not named nobody can speak. Both programs
            may be anything that can be run; freezing needs root and the program fsfreeze.

            Examples:
              varve instance quiesce i-0123456789abcdef0 --freeze /srv
              varve instance quiesce i-0123456789abcdef0 --before /etc/varve/flush-database --after /etc/varve/go-on
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The instance's id.") var id: String
    @Option(help: ArgumentHelp("Where a file system is mounted that is to be frozen; repeatable.", valueName: "dir"))
    var freeze: [String] = []
    @Option(help: ArgumentHelp("A program that brings the applications to rest.", valueName: "program"))
    var before: String?
    @Option(help: ArgumentHelp("A program that lets them go on; it runs whenever --before did.", valueName: "program"))
    var after: String?

    func validate() throws {
        guard !freeze.isEmpty || before != nil else {
            throw ValidationError("Say what is to come to rest, with --freeze or --before.")
        }
    }

    func run(_ client: NativeClient) async throws {
        let rest = try HostRest(freeze: freeze.map(Places.absolute), before: before, after: after)
        let path = "/instances/\(try Segment.of(id))/quiescing"
        let agent = UUID().uuidString
        let interruption = await Interruption()
        // So that a wrong id or key is said at once, and not tried for ever.
        let _: InstanceView = try await client.call("GET", "/instances/\(try Segment.of(id))")
        Output.line("\(id) comes to rest when a snapshot asks for it")
        let present = Guarded<QuiesceReport?>(nil)
        do {
            try await interruption.cancels { try await serve(client, path, agent, rest, present) }
        } catch {
            await end(client, path, agent, rest, present.withLock { $0 })
            guard error is CancellationError else { throw error }
        }
    }

    /// Whoever has promised to keep still takes the promise back before; where nobody hears that, it is kept.
    private func end(
        _ client: NativeClient, _ path: String, _ agent: String, _ rest: HostRest, _ report: QuiesceReport?
    ) async {
        guard var report else { return rest.goOn() }
        report.outcome = .crash
        let fields: [String: NativeClient.Field] = [
            "agent": .text(agent), "report": .value(report), "waitSeconds": .number(0),
        ]
        let isHeard = await Task { (try? await client.waiting(3).callRaw("POST", path, fields)) != nil }.value
        if isHeard { rest.goOn() } else { rest.leave() }
    }

    private func serve(
        _ client: NativeClient, _ path: String, _ agent: String, _ rest: HostRest, _ present: Guarded<QuiesceReport?>
    ) async throws {
        let client = client.waiting(30)
        var report: QuiesceReport?
        var isAway = false
        while true {
            let turn: QuiesceTurn
            do {
                var fields: [String: NativeClient.Field] = ["agent": .text(agent)]
                if let report { fields["report"] = .value(report) }
                turn = try await client.call("POST", path, fields)
                isAway = false
            } catch let error as CommandFailure where error.mayPass {
                // The host goes on by itself when its time is over; the server knows that it does.
                if !isAway { Output.note("\(error.message); asking again") }
                isAway = true
                try await Task.sleep(for: .seconds(1))
                continue
            }
            if let held = report, turn.order != held.order {
                rest.goOn()
                Output.line("goes on")
                report = nil
                present.withLock { $0 = nil }
            }
            guard report == nil, let order = turn.order else { continue }
            let outcome = await rest.begin(for: .seconds(turn.seconds ?? 0))
            Output.line("rests: \(outcome.sentence)")
            report = QuiesceReport(order: order, outcome: outcome)
            present.withLock { [report] in $0 = report }
        }
    }
}

/// What keeps a host still: a process of its own, so that the host goes on whatever becomes of this one.
///
/// Only one task may use it at a time.
final class HostRest: Sendable {
    private struct Holder {
        let process: Process
        let hold: FileHandle
    }
    private let freeze: [String]
    private let before: String
    private let after: String
    private let present = Guarded<Holder?>(nil)

    /// - Throws: ``CommandFailure`` if something of it cannot be.
    init(freeze: [String], before: String?, after: String?) throws {
        for program in [before, after].compactMap({ $0 }) where !FileManager.default.isExecutableFile(atPath: program) {
            throw CommandFailure.refused("\(program) is no program that can be run")
        }
        for folder in freeze where !FileManager.default.fileExists(atPath: folder) {
            throw CommandFailure.refused("nothing is mounted at \(folder): there is no such directory")
        }
        if !freeze.isEmpty { _ = try Tool("fsfreeze") }
        self.freeze = freeze
        self.before = before.map(Places.absolute) ?? ""
        self.after = after.map(Places.absolute) ?? ""
    }

    /// Runs the program, freezes, says how far that came, and keeps it so until it is told to go on, or for the time that was given. If
    /// whoever started it is gone after it heard that, the server may count on the time: it is kept. If before, nobody does. It bears an interruption of
    /// the terminal.
    ///
    /// A guard thaws everything at the end of the time, counted from before the first freeze, if this script cannot: a second file
    /// system may take for ever to freeze. It is a group of processes, so that none of it stays when it is not needed. Thawing is done for all at once, since one whose disk is away may take for ever, too.
    private static let script = """
        trap '' INT TERM HUP PIPE
        before=$1; after=$2; seconds=$3; shift 3
        thaw() {
            thawing=
            for folder do
                fsfreeze --unfreeze "$folder" 2>/dev/null &
                thawing="$thawing $!"
            done
            [ -z "$thawing" ] || wait $thawing
        }
        outcome=fileSystem
        [ $# -gt 0 ] || outcome=crash
        if [ -n "$before" ] && timeout -s KILL "$seconds" "$before" >&2 </dev/null; then outcome=application; fi
        setsid sh -c 'sleep "$1"; shift; for folder do fsfreeze --unfreeze "$folder" & done; wait' sh "$seconds" "$@" \
            </dev/null >/dev/null 2>&1 &
        guard=$!
        for folder do
            if ! fsfreeze --freeze "$folder"; then outcome=crash; break; fi
        done
        if echo "$outcome"; then
            timeout -s KILL "$seconds" sh -c 'read word || exec sleep "$1"' sh "$seconds" >/dev/null
        fi
        thaw "$@"
        kill -KILL -"$guard" 2>/dev/null || kill -KILL "$guard" 2>/dev/null
        if [ -n "$before" ] && [ -n "$after" ]; then "$after" >&2 </dev/null; fi
        """

    /// Brings the host to rest.
    ///
    /// - Parameter limit: for how long it stays so if nobody lets it go on, from before its first file system is frozen.
    /// - Returns: how far it came.
    func begin(for limit: Duration) async -> Consistency {
        goOn()
        let process = Process(), hold = Pipe(), said = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            ["-c", Self.script, "sh", before, after, String(max(1, limit.components.seconds))] + freeze
        process.standardInput = hold
        process.standardOutput = said
        do { try process.run() } catch {
            Output.note("the host cannot be brought to rest: \(error)")
            return .crash
        }
        present.withLock { $0 = Holder(process: process, hold: hold.fileHandleForWriting) }
        let reading = said.fileHandleForReading, word = Guarded("")
        await Blocking.run {
            let line = String(decoding: reading.availableData, as: UTF8.self)
            word.withLock { $0 = line }
        }
        return Consistency(rawValue: word.withLock { $0 }.trimmingCharacters(in: .whitespacesAndNewlines)) ?? .crash
    }

    /// Lets the host go on, and waits until it does. No error if it is not at rest.
    func goOn() {
        guard let holder = present.withLock({ $0.take() }) else { return }
        try? holder.hold.write(contentsOf: Data("on\n".utf8))
        try? holder.hold.close()
        holder.process.waitUntilExit()
    }

    /// Lets go of it: the host goes on by itself when its time is over.
    func leave() { present.withLock { $0 = nil } }
}

extension Consistency {
    /// For people.
    var sentence: String {
        switch self {
        case .crash: "not at all; the snapshot is as after a loss of power"
        case .fileSystem: "the file systems"
        case .application: "the applications"
        }
    }
}
