internal import ArgumentParser
internal import ControlPlane

/// How hosts come to rest while a snapshot is cut, as options say it.
struct QuiesceOptions: ParsableArguments {
    /// What is enough, in words of the command line.
    enum Least: String, ExpressibleByArgument, CaseIterable {
        case crash
        case fileSystem = "file-system"
        case application

        var consistency: Consistency {
            switch self {
            case .crash: .crash
            case .fileSystem: .fileSystem
            case .application: .application
            }
        }
    }

    @Flag(
        name: .customLong("quiesce"), help: "Bring the hosts of the volumes to rest meanwhile (varve instance quiesce)."
    ) var isQuiesced = false
    @Option(help: "With --quiesce: take nothing that is less consistent than this.") var atLeast: Least?
    @Option(help: ArgumentHelp("With --quiesce: for how long a host keeps still at most (10).", valueName: "seconds"))
    var quiesceSeconds: Int?
    @Option(help: ArgumentHelp("With --quiesce: how often a host is asked (1).", valueName: "count"))
    var quiesceTries: Int?

    /// What they say; nil: hosts do not come to rest.
    var quiesce: Quiesce? {
        get throws {
            guard isQuiesced else {
                guard atLeast == nil, quiesceSeconds == nil, quiesceTries == nil else {
                    throw CommandFailure.usage("--at-least, --quiesce-seconds and --quiesce-tries go with --quiesce")
                }
                return nil
            }
            var quiesce = Quiesce()
            if let atLeast { quiesce.atLeast = atLeast.consistency }
            if let quiesceSeconds { quiesce.seconds = quiesceSeconds }
            if let quiesceTries { quiesce.tries = quiesceTries }
            return quiesce
        }
    }
}
