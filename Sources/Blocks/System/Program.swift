internal import CLinux
internal import Glibc

/// What a command line program needs of the process it runs in.
public enum Program {
    /// Keeps SIGTERM and SIGINT for ``waitForTermination()``. Call first of all, before any thread starts.
    public static func deferTermination() {
        var signals = termination()
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Waits for SIGTERM or SIGINT.
    public static func waitForTermination() {
        var signals = termination()
        var taken: Int32 = 0
        while unsafe sigwait(&signals, &taken) == EINTR {}
    }

    /// Writes `text` to standard error and ends the process with `status`.
    public static func fail(_ text: String, status: Int32) -> Never {
        var text = text
        text.withUTF8 { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
        exit(status)
    }

    private static func termination() -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigaddset(&signals, SIGINT)
        return signals
    }
}
