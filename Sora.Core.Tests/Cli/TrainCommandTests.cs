using System.Diagnostics;
using System.Text.Json;
using Sora.Tests.Training;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Cli;

/// <summary>A tiny training as a person starts it; with the real sprites, from models/sprites.sh (which test.sh runs).</summary>
public sealed class TrainCommandTests : IDisposable
{
    private const long Steps = 40;
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-train-").FullName;

    [Fact]
    public async Task KilledAtAnyMomentAndResumedTheCurveGoesOn()
    {
        string straight = Write("straight", Steps, checkpointMinutes: 5), killed = Write("killed", Steps, checkpointMinutes: 0);
        SoraProcess.Result whole = await SoraProcess.RunAsync(["train", straight, "--threads", "1"]);
        Assert.True(whole.ExitCode == 0, whole.Error);
        Assert.Contains("vae costs: 40 steps of", whole.Output, StringComparison.Ordinal);
        Assert.Contains("vae step 20/40 loss", whole.Output, StringComparison.Ordinal);

        string metrics = Path.Combine(_folder, "killed", "metrics.jsonl");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "sora.dll"), "train", killed, "--threads", "1"]) { RedirectStandardOutput = true };
        using (Process process = Process.Start(start)!)
        {
            // Wherever it stands then, in the middle of a checkpoint or not.
            while (!process.HasExited && (!File.Exists(metrics) || Rows("killed").Length < 7))
                await Task.Delay(20);
            process.Kill();
            await process.WaitForExitAsync();
        }
        int before = Rows("killed").Length;
        Assert.InRange(before, 7, Steps - 1);

        SoraProcess.Result resumed = await SoraProcess.RunAsync(["train", killed, "--resume", "--threads", "1"]);
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        Assert.Contains("vae goes on from the checkpoint of step ", resumed.Output, StringComparison.Ordinal);
        (long, double)[] expected = Curve("straight");
        Assert.Equal(Steps, expected.Length);
        Assert.Equal(expected, Curve("killed"));
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(_folder, "straight", "vae", "diffusion_pytorch_model.safetensors")),
            await File.ReadAllBytesAsync(Path.Combine(_folder, "killed", "vae", "diffusion_pytorch_model.safetensors")));
    }

    [Fact]
    public async Task WhatCannotGoOnIsSaid()
    {
        string config = Write("run", 2, checkpointMinutes: 5);
        SoraProcess.Result missing = await SoraProcess.RunAsync(["train", config, "--resume"]);
        Assert.Equal(2, missing.ExitCode);
        Assert.Contains("to resume; without --resume the training begins.", missing.Error, StringComparison.Ordinal);

        SoraProcess.Result first = await SoraProcess.RunAsync(["train", config, "--threads", "1"]);
        Assert.True(first.ExitCode == 0, first.Error);
        string state = Path.Combine(_folder, "run", "vae-state.safetensors");
        byte[] kept = await File.ReadAllBytesAsync(state);

        string changed = (await File.ReadAllTextAsync(config)).Replace("\"kl_weight\": 0.0001", "\"kl_weight\": 0.5", StringComparison.Ordinal);
        await File.WriteAllTextAsync(config, changed);
        SoraProcess.Result other = await SoraProcess.RunAsync(["train", config, "--resume"]);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("of a training with other settings: kl_weight was 0.0001 and is 0.5.", other.Error, StringComparison.Ordinal);
        Assert.Equal(kept, await File.ReadAllBytesAsync(state));
    }

    // No file may grow beyond 48 kB, which a checkpoint does; the system answers as it does when a disk is full.
    [Fact]
    public async Task AFullDiskLeavesTheLastCheckpoint()
    {
        SoraProcess.Result first = await SoraProcess.RunAsync(["train", Write("run", 2, checkpointMinutes: 5), "--threads", "1"]);
        Assert.True(first.ExitCode == 0, first.Error);
        string state = Path.Combine(_folder, "run", "vae-state.safetensors");
        byte[] kept = await File.ReadAllBytesAsync(state);
        Assert.True(kept.Length > 48 * 1024);

        string longer = Write("run", 9, checkpointMinutes: 0);
        string[] command = ["-c", "trap '' XFSZ; ulimit -f 48; exec \"$@\"", "sora", "dotnet", Path.Combine(AppContext.BaseDirectory, "sora.dll"), "train", longer, "--resume", "--threads", "1"];
        var start = new ProcessStartInfo("bash", command) { RedirectStandardError = true, RedirectStandardOutput = true };
        // The runtime maps its own code through a file that the limit would count.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 2, error + await output);
        Assert.Contains("vae-state.safetensors: cannot be written", error, StringComparison.Ordinal);
        Assert.Contains("The checkpoint of step 2 is kept.", error, StringComparison.Ordinal);
        Assert.Equal(kept, await File.ReadAllBytesAsync(state));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "run"), "*.tmp"));
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private string[] Rows(string run)
    {
        using var reader = new StreamReader(new FileStream(Path.Combine(_folder, run, "metrics.jsonl"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private (long Step, double Loss)[] Curve(string run) =>
        [.. Rows(run).Select(row => JsonSerializer.Deserialize<JsonElement>(row)).Where(row => row.TryGetProperty("loss", out _))
            .Select(row => (row.GetProperty("step").GetInt64(), row.GetProperty("loss").GetDouble()))];

    private string Write(string run, long steps, double checkpointMinutes)
    {
        string path = Path.Combine(_folder, $"{run}.json");
        AutoencoderKLWanConfig vae = TinyTraining.Vae(_folder, 1).Vae;
        File.WriteAllText(path, $$"""
            {
              "kind": "vae",
              "world": "first-edition",
              "vae": {{vae.ToJson()}},
              "run_folder": "{{_folder}}/{{run}}",
              "output_folder": "{{_folder}}/{{run}}/vae",
              "steps": {{steps}},
              "pixels_per_step": 10000,
              "kl_weight": 0.0001,
              "validation_steps": 0,
              "checkpoint_minutes": {{checkpointMinutes}}
            }
            """);
        return path;
    }
}
