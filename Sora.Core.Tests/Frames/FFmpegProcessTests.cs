using System.Diagnostics;
using Sora.Frames;
using Xunit;

namespace Sora.Tests.Frames;

public sealed class FFmpegProcessTests
{
    [Fact]
    public void Arguments_arrive_untouched()
    {
        using var scratch = new Scratch();
        string[] arguments = ["a b", "$HOME", "`x`", "\"q\" 'q'", "\\", "", "-", "魚", "line\nbreak"];
        (FFmpegExit exit, string output) = FFmpegProcess.Run(
            scratch.Stub("for a in \"$@\"; do printf '%s\\0' \"$a\"; done").FindFFmpeg(), arguments, default);
        Assert.Equal(0, exit.Code);
        Assert.Equal(arguments, output.Split('\0')[..^1]);
    }

    [Fact]
    public void Cancelling_kills_the_process_with_its_children_and_reaps_it()
    {
        using var scratch = new Scratch();
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        string stub = scratch.Stub($"echo $$ > '{scratch["id"]}'; sleep 100").FindFFmpeg();
        var watch = Stopwatch.StartNew();
        Assert.Throws<OperationCanceledException>(() => FFmpegProcess.Run(stub, [], source.Token));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20);
        int id = int.Parse(File.ReadAllText(scratch["id"]), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(id));
    }

    [Fact]
    public void A_megabyte_of_complaints_does_not_block()
    {
        using var scratch = new Scratch();
        string stub = scratch.Stub("head -c 1000000 /dev/zero | tr '\\0' 'x' | fold -w 100 >&2; echo done").FindFFmpeg();
        (FFmpegExit exit, string output) = FFmpegProcess.Run(stub, [], default);
        Assert.Equal("done\n", output);
        Assert.Equal(20, exit.LastLines.Split('\n').Length);
    }

    [Fact]
    public void Ended_processes_leave_no_thread_and_no_handle()
    {
        using var scratch = new Scratch();
        string stub = scratch.Stub("exit 0").FindFFmpeg();
        FFmpegProcess.Run(stub, [], default);
        int before = OpenHandles();
        for (int i = 0; i < 20; i++)
        {
            FFmpegProcess.Run(stub, [], default);
        }

        // Other tests may have a few files open at either time.
        Assert.InRange(OpenHandles() - before, -1000, 20);
    }

    private static int OpenHandles() => Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;
}
