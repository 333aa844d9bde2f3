using System.Diagnostics;

namespace Sora.Tests.Training.Distributed;

/// <summary>Runs the built <c>sora</c> under <c>mpirun</c>.</summary>
internal static class Mpirun
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    public sealed record Result(int ExitCode, string Output, string Error);

    /// <summary>Runs to the end; a hang is a failure.</summary>
    /// <param name="ranks">The arguments of each rank.</param>
    /// <param name="meanwhile">Done while the ranks run, given mpirun's process id.</param>
    public static async Task<Result> RunAsync(string[][] ranks, Func<int, CancellationToken, Task>? meanwhile = null)
    {
        var start = new ProcessStartInfo("mpirun") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        // More ranks than cores, as root, on this machine alone; ranks that wait leave the core to others.
        foreach (string argument in (string[])["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", "--mca", "btl", "self,vader"])
            start.ArgumentList.Add(argument);
        for (int rank = 0; rank < ranks.Length; rank++)
        {
            string dotnet = Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet";
            foreach (string argument in (string[])[.. rank > 0 ? [":"] : Array.Empty<string>(), "-n", "1", dotnet, Path.Combine(AppContext.BaseDirectory, "sora.dll"), .. ranks[rank]])
                start.ArgumentList.Add(argument);
        }
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Longest);
        try
        {
            if (meanwhile is not null)
                await meanwhile(process.Id, limit.Token);
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"mpirun did not end in {Longest}: {await output}{await error}");
        }
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>The process of a rank.</summary>
    public static Process ProcessOf(int rank, int mpirun)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                string status = File.ReadAllText(Path.Combine(folder, "status"));
                string[] environment = File.ReadAllText(Path.Combine(folder, "environ")).Split('\0');
                if (status.Contains($"PPid:\t{mpirun}\n", StringComparison.Ordinal) && environment.Contains($"OMPI_COMM_WORLD_RANK={rank}"))
                    return Process.GetProcessById(int.Parse(Path.GetFileName(folder)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile, or belongs to somebody else.
            }
        }
        throw new InvalidOperationException($"mpirun {mpirun} has no rank {rank}.");
    }
}
