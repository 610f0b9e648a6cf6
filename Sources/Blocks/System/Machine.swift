internal import CLinux
internal import Glibc

/// Facts about the machine, and acts on the process.
public enum Machine {
    /// The cores this process may use.
    public static var coreCount: Int { max(1, Int(varve_core_count())) }
    /// Ends the process at once, as kill -9 would. For failpoints.
    public static func killSelf() -> Never {
        varve_kill_self()
        fatalError("unreachable")
    }
    /// Lets a write to a closed socket fail with an error instead of ending the process. Call once at start.
    public static func ignoreBrokenPipes() { varve_ignore_sigpipe() }
}

extension Machine {
    /// Lets the process open as many files as it may, and says how many those are. Call once at start.
    public static func raiseFileLimit() -> Int {
        let files = Int(varve_raise_file_limit())
        return files > 0 ? files : 1024
    }

    /// Lets another thread run. For waits of microseconds only.
    public static func yieldThread() { sched_yield() }
}
