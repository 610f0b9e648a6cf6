internal import Glibc
internal import Synchronization

/// Says from which seed on histories were being played when the process trapped: a failed assertion of the engine's.
enum Trap {
    private static let latest = Atomic<UInt64>(0)

    /// `seed` is being played; those shortly before it may be still.
    static func note(_ seed: UInt64) { latest.store(seed, ordering: .relaxed) }

    /// From now on a trap says so.
    static func watch() {
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS] {
            _ = signal(number) { _ in
                // Not wholly safe in a signal handler; the process ends here anyway.
                var text =
                    "\nFAILED: the process trapped; replay with --seed, from \(Trap.latest.load(ordering: .relaxed)) down\n"
                text.withUTF8 { bytes in _ = unsafe write(1, bytes.baseAddress, bytes.count) }
                _exit(3)
            }
        }
    }
}
