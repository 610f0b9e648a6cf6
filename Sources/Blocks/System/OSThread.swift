internal import CLinux
internal import Glibc

/// A plain operating system thread. The data path and everything that blocks runs on these, never on tasks.
@safe public final class OSThread: @unchecked Sendable {
    // Safe: `thread` is set once before anyone else can see self, and joined at most once (`isJoined`; true too for a
    // thread that never started).
    private var thread = pthread_t()
    private let isJoined = Guarded(true)

    private final class Start {
        let name: String
        let isBackground: Bool
        let body: @Sendable () -> Void
        init(name: String, isBackground: Bool, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.isBackground = isBackground
            self.body = body
        }
    }

    /// Starts a thread that runs `body`.
    ///
    /// - Parameters:
    ///   - name: shown by the system's tools; cut to 15 characters.
    ///   - isBackground: idle scheduling and I/O class, for work that must yield to the foreground.
    public convenience init(name: String, isBackground: Bool = false, _ body: @escaping @Sendable () -> Void) {
        self.init()
        let status = start(Start(name: name, isBackground: isBackground, body: body))
        precondition(status == 0, "cannot start a thread: \(ErrnoText.of(status))")
    }

    /// Starts a thread, or answers nil when the system has none left: for threads that a stranger can ask for.
    public static func ifPossible(name: String, _ body: @escaping @Sendable () -> Void) -> OSThread? {
        let thread = OSThread()
        return thread.start(Start(name: name, isBackground: false, body: body)) == 0 ? thread : nil
    }

    private init() {}

    private func start(_ start: Start) -> Int32 {
        let context = unsafe Unmanaged.passRetained(start)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, 1 << 20)
        let status = unsafe pthread_create(
            &thread, &attributes,
            { context in
                guard let context = unsafe context else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                unsafe varve_thread_name(start.name)
                if start.isBackground { varve_thread_background() }
                start.body()
                return nil
            }, context.toOpaque())
        unsafe pthread_attr_destroy(&attributes)
        if status == 0 {
            isJoined.withLock { $0 = false }
        } else {
            unsafe context.release()
        }
        return status
    }

    /// Lets other threads that are ready run first.
    public static func yield() { varve_yield() }

    /// Stops the calling thread for at least so long.
    public static func sleep(nanoseconds: Int) { SystemClock().sleep(.nanoseconds(nanoseconds)) }

    /// Waits for the thread to end. Later calls return at once.
    public func join() {
        let mustJoin = isJoined.withLock { joined in
            defer { joined = true }
            return !joined
        }
        if mustJoin { pthread_join(thread, nil) }
    }

    deinit {
        let mustDetach = isJoined.withLock { !$0 }
        if mustDetach { pthread_detach(thread) }
    }
}
