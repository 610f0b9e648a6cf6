internal import Glibc

/// What this process takes of the machine.
public struct ProcessFacts: Sendable {
    /// Bytes of memory that are in use now.
    public var residentMemory: ByteCount
    /// Bytes of address space.
    public var virtualMemory: ByteCount
    /// Files, sockets and pipes that are open.
    public var openDescriptors: Int
    /// How many may be open.
    public var descriptorMax: Int
    /// Time that its threads have run.
    public var processorTime: Duration

    /// As they are now; what the system does not tell is zero.
    public static func now() -> ProcessFacts {
        let pages = memoryPages()
        let page = sysconf(Int32(_SC_PAGESIZE))
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return ProcessFacts(
            residentMemory: ByteCount(pages.resident * page), virtualMemory: ByteCount(pages.all * page),
            openDescriptors: openCount(), descriptorMax: max(0, sysconf(Int32(_SC_OPEN_MAX))),
            processorTime: .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec)))
    }

    private static func memoryPages() -> (all: Int, resident: Int) {
        let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return (0, 0) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe read(file, &bytes, bytes.count)
        guard count > 0 else { return (0, 0) }
        let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ").map { Int($0) ?? 0 }
        return words.count > 1 ? (words[0], words[1]) : (0, 0)
    }

    private static func openCount() -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // Not counted: `.`, `..`, and the folder itself.
        return max(0, count - 3)
    }
}

extension Machine {
    /// Nanoseconds of a clock that only runs forward: for measuring, without a seam.
    @inline(__always)
    public static func nanoseconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
