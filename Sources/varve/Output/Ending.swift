internal import ArgumentParser
internal import ControlPlane

/// Why a command did not do what was asked; the message is complete, for people.
struct CommandFailure: Error {
    /// What scripts see.
    enum Code: Int32 {
        case refused = 1
        case usage = 2
        case unreachable = 3
    }

    let code: Code
    let message: String
    /// May the same be done a little later, without anybody's doing?
    var mayPass = false

    /// - Parameter mayPass: may the same be done a little later, without anybody's doing?
    static func refused(_ message: String, mayPass: Bool = false) -> CommandFailure {
        CommandFailure(code: .refused, message: message, mayPass: mayPass)
    }
    static func usage(_ message: String) -> CommandFailure { CommandFailure(code: .usage, message: message) }
    static func unreachable(_ message: String) -> CommandFailure {
        CommandFailure(code: .unreachable, message: message, mayPass: true)
    }
}

/// How a command ended: what is said, and the exit code.
enum Ending {
    /// Says what went wrong, on standard error (help that was asked for: on standard output), and returns the code.
    static func code(of error: any Error) -> Int32 {
        switch error {
        case let failure as CommandFailure:
            Output.note("varve: \(failure.message)")
            return failure.code.rawValue
        case let failure as ServiceError:
            Output.note("varve: \(failure.message)")
            return CommandFailure.Code.refused.rawValue
        case let code as ExitCode:
            return code.rawValue
        case is CancellationError:
            Output.note("varve: interrupted")
            return CommandFailure.Code.refused.rawValue
        default:
            return codeOfParsing(error)
        }
    }

    private static func codeOfParsing(_ error: any Error) -> Int32 {
        let message = Varve.fullMessage(for: error)
        switch Varve.exitCode(for: error) {
        case .success:
            Output.line(message)
            return 0
        case .validationFailure:
            Output.note(message)
            return CommandFailure.Code.usage.rawValue
        default:
            Output.note("varve: \(error)")
            return CommandFailure.Code.refused.rawValue
        }
    }
}
