internal import ArgumentParser
internal import Blocks
internal import ControlPlane
internal import Foundation
internal import Gateway
internal import Logging
internal import Terminal

/// `varve serve`: puts the rooms together.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a data directory until SIGTERM.",
        discussion: """
            Regions that were served once are served at every start. Each has its own volumes, snapshots and store, by default
            in DIR/regions/NAME; accounts and keys are those of all.

            The first start makes the directory and a key in DIR/root-credentials. GET /readyz answers 200 when ready.

            Examples:
              varve serve --data /var/lib/varve --listen 127.0.0.1:8420
              varve serve --data /var/lib/varve --store dir:///mnt/backup/store --nbd-listen tcp://127.0.0.1:10809
              varve serve --data /var/lib/varve --nbd-listen tcp://0.0.0.0:10809 \\
                  --nbd-tls-cert server.pem --nbd-tls-key server-key.pem --nbd-tls-client-ca ca.pem
              varve serve --data /var/lib/varve --region us-east-1 --region us-west-2=dir:///mnt/west
              varve serve --data /var/lib/varve --store 's3://backups/varve?endpoint=https://s3.example.org&region=eu-1'

            The keys for S3 come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from a file.
            """)

    @Option(help: ArgumentHelp("The data directory (VARVE_DATA).", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("The API's address (VARVE_LISTEN; 127.0.0.1:8420).", valueName: "host:port"))
    var listen: String?
    @OptionGroup var network: NetworkOptions
    @Option(
        help: ArgumentHelp(
            "The object store, dir:///PATH or s3://BUCKET/PREFIX?...; by default DIR/store.", valueName: "store"))
    var store: String?
    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            "A region, NAME or NAME=STORE; repeat it for more. The first is the data directory's own (us-east-1).",
            valueName: "region"))
    var regions: [String] = []
    @Option(
        name: .customLong("key-file"),
        help: ArgumentHelp(
            "A wrapping key for encrypted snapshots, from varve key new; repeat it for more.", valueName: "file"))
    var keyFiles: [String] = []
    @Option(
        name: .customLong("passphrase-file"),
        help: ArgumentHelp("The same from a passphrase; repeat it for more.", valueName: "file"))
    var passphraseFiles: [String] = []
    @Option(
        help: ArgumentHelp(
            "The share of a volume that writes may take aside while its snapshots upload (4 GiB if that is more); then they fail.",
            valueName: "percent"))
    var overlayPercent: Int = 10
    @Option(
        help: ArgumentHelp(
            "How often all of the store is read again in the background: 7d, 12h, or off.", valueName: "time"))
    var scrubEvery: String = "7d"
    @Option(help: ArgumentHelp("How long is kept what was done by whom: 90d, 12h.", valueName: "time"))
    var eventsKept: String = "90d"
    @Flag(help: "Let every volume be as fast as it can, whatever its kind.") var unlimited = false
    @Option(
        help: ArgumentHelp(
            "Refuse what comes too fast: off, or aws for Amazon's limits on snapshots and changes of a volume and on block "
                + "requests.", valueName: "whose"))
    var rates: String = "off"
    @Flag(
        name: .customLong("no-sigv2"),
        help: "Refuse requests that are signed with AWS Signature Version 2, as clients from before 2014 do.")
    var refusesSigV2 = false
    @Option(help: ArgumentHelp("trace, debug, info, notice, warning or error.", valueName: "level"))
    var logLevel: String = "info"

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let folder = data ?? environment["VARVE_DATA"] else {
            throw CommandFailure.usage("which data directory? Give --data DIR or set VARVE_DATA")
        }
        let api = try Places.hostAndPort(listen ?? environment["VARVE_LISTEN"] ?? "127.0.0.1:8420")
        let logger = try makeLogger()
        let report: @Sendable (String) -> Void = { logger.warning("nbd: \($0)") }
        let door = try network.door(report: report)
        guard (1...100).contains(overlayPercent) else {
            throw CommandFailure.usage("--overlay-percent is \(overlayPercent): give 1 to 100")
        }
        var settings = HousePlan(data: Places.absolute(folder), store: try store.map(Places.store))
        try RegionOption.read(regions, into: &settings)
        settings.opener = S3Opener()
        settings.overlayShare = Double(overlayPercent) / 100
        settings.holdsPaces = !unlimited
        settings.rates = try Self.rates(rates)
        settings.keyFiles = keyFiles.map(Places.absolute)
        settings.passphraseFiles = passphraseFiles.map(Places.absolute)
        settings.scrubEvery = try Self.period(scrubEvery)
        settings.eventsKept = try Self.keeping(eventsKept)
        settings.onNotice = { notice in
            logger.log(level: notice.isTrouble ? .warning : .notice, "\(notice.text)")
        }
        let plan = settings
        let place = SocketPlace(data: plan.data)
        let board = NBDBoard(at: place, report: report)

        let filesMax = Machine.raiseFileLimit()
        let house = try await House.open(plan, exports: board)
        do {
            try board.listen()
            if let reason = place.reason { Output.note("the NBD socket is at \(place.path): \(reason)") }
            Output.note("disks: \(place.uri(of: "EXPORT"))")
            if let door {
                for warning in door.warnings { Output.note("warning: \(warning)") }
                let opened = try board.listen(at: door)
                Output.note("disks: \(opened.uri(of: "EXPORT"))")
            }
            let gateway = Gateway(
                house: house, address: .init(host: api.host, port: api.port),
                connectionsMax: Self.connections(of: filesMax), takesSigV2: !refusesSigV2, logger: logger)
            try await gateway.run { port in
                Output.note("key:   \(plan.data)/root-credentials")
                Output.note("ready: http://\(api.host):\(port)")
            }
        } catch {
            await stop(board, house)
            throw Self.refusal(of: error, at: "\(api.host):\(api.port)")
        }
        Output.note("stopping")
        await stop(board, house)
        Output.note("stopped")
    }

    /// How many connections the API may have: what disks need stays free.
    private static func connections(of filesMax: Int) -> Int { max(256, min(16_384, filesMax / 4 * 3 - 1024)) }

    private static func refusal(of error: any Error, at address: String) -> CommandFailure {
        if let failure = error as? ListenFailure { return .refused("\(failure)") }
        if "\(error)".contains("Address already in use") {
            return .refused("cannot serve at \(address): another program listens there; give another --listen")
        }
        return .refused("cannot serve at \(address): \(error)")
    }

    /// After the API: disks, then uploads, volumes and the catalog.
    private func stop(_ board: NBDBoard, _ house: House) async {
        await board.stop()
        await house.close()
    }

    /// - Returns: nil for `off`.
    private static func period(_ text: String) throws -> Duration? {
        if text == "off" { return nil }
        guard let span = Seconds.span(text), span >= .seconds(60) else {
            throw CommandFailure.usage("--scrub-every is '\(text)': give at least 60s, such as 12h or 7d, or off")
        }
        return span
    }

    private static func rates(_ text: String) throws -> Rates {
        guard let rates = Rates(rawValue: text) else {
            throw CommandFailure.usage("--rates is '\(text)': give off or aws")
        }
        return rates
    }

    private static func keeping(_ text: String) throws -> Duration {
        guard let span = Seconds.span(text), span >= .seconds(3600), span <= .seconds(3660 * 86_400) else {
            throw CommandFailure.usage("--events-kept is '\(text)': give 1h to 3660d, such as 90d")
        }
        return span
    }

    private func makeLogger() throws -> Logger {
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw CommandFailure.usage(
                "the log level '\(logLevel)' is not trace, debug, info, notice, warning or error")
        }
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "varve")
        logger.logLevel = level
        return logger
    }
}
