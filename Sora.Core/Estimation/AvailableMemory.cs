using System.Globalization;

namespace Sora.Estimation;

/// <summary>The memory that the process can still take without the system swapping or ending it.</summary>
internal static class AvailableMemory
{
    /// <summary>
    /// In bytes. On Linux the lower of MemAvailable (proc(5): free memory and the caches that can be let go) and, for each
    /// control group that the process is in, its limit less what it uses and cannot let go; elsewhere what the garbage
    /// collector knows of the machine.
    /// </summary>
    public static long Read()
    {
        if (OperatingSystem.IsLinux())
            return ReadLinux("/");
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
    }

    /// <summary>The same on Linux, from the files under a root.</summary>
    internal static long ReadLinux(string root) =>
        Math.Max(0, Math.Min(SystemAvailable(root), Groups(root).Select(Left).Append(long.MaxValue).Min()));

    private static long SystemAvailable(string root)
    {
        string line = File.ReadLines(Path.Combine(root, "proc/meminfo")).FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal)) ?? "";
        return line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, string kilobytes, ..] ? Number(kilobytes) * 1024 : long.MaxValue;
    }

    // The folders of the process's control groups, from its own up to the root, which is all that is seen inside a container.
    private static IEnumerable<(string Folder, bool First)> Groups(string root)
    {
        string own = Path.Combine(root, "proc/self/cgroup");
        foreach (string[] line in File.Exists(own) ? File.ReadAllLines(own).Select(line => line.Split(':', 3)) : [])
        {
            bool first = line is [_, "memory", _];
            if (line.Length != 3 || !(first || line[1].Length == 0))
                continue;
            string mount = Path.Combine(root, first ? "sys/fs/cgroup/memory" : "sys/fs/cgroup");
            string[] parts = line[2].Split('/', StringSplitOptions.RemoveEmptyEntries);
            for (int depth = parts.Length; depth >= 0; depth--)
                yield return (Path.Combine([mount, .. parts[..depth]]), first);
        }
    }

    // Version 1 and version 2 of the kernel's documentation on control groups ("memory.limit_in_bytes", "memory.max").
    private static long Left((string Folder, bool First) group)
    {
        string InGroup(string name) => Path.Combine(group.Folder, name);
        string limitFile = InGroup(group.First ? "memory.limit_in_bytes" : "memory.max"), usedFile = InGroup(group.First ? "memory.usage_in_bytes" : "memory.current");
        if (!File.Exists(limitFile) || !File.Exists(usedFile))
            return long.MaxValue;
        string limit = File.ReadAllText(limitFile).Trim();
        if (limit == "max")
            return long.MaxValue;
        string inactive = group.First ? "total_inactive_file " : "inactive_file ";
        long cached = File.Exists(InGroup("memory.stat"))
            ? File.ReadLines(InGroup("memory.stat")).Where(line => line.StartsWith(inactive, StringComparison.Ordinal)).Sum(line => Number(line[inactive.Length..]))
            : 0;
        return Number(limit) - Number(File.ReadAllText(usedFile).Trim()) + cached;
    }

    // A version 1 group without a limit has the largest number that is a whole page.
    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? Math.Min(value, long.MaxValue / 4) : long.MaxValue / 4;
}
