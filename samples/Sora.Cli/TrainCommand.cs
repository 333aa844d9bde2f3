using System.CommandLine;
using System.Globalization;
using Sora.Training;
using Sora.Training.Distillation;
using Sora.Training.Distributed;
using Sora.Training.FineTuning;
using Sora.Training.SpriteWorld;
using TorchSharp;

namespace Sora.Cli;

/// <summary><c>sora train</c>: trains a part of a model, or fine-tunes one; under mpirun together with other processes.</summary>
internal static class TrainCommand
{
    private static readonly Argument<string> s_file = new("CONFIG.json") { Description = "The training's settings; models/pocket-vae.json and models/pocket-flow.json are examples" };

    private static readonly Option<string?> s_sprites = Setting.Text("--sprites", "DIR", "The folder of sprites that models/sprites.sh prints [default: its default]");

    private static readonly Option<int?> s_threads = Setting.Number<int>("--threads", "N", "Processor threads [default: all cores]");

    private static readonly Option<Precision?> s_precision = Setting.Of("--precision", string.Join('|', PrecisionNames.All.Where(name => name != PrecisionNames.NameOf(Precision.Int8))),
        "Number format of matrix products; auto is bf16 where the device is fast at it; trained parameters are float32 [default: auto]", PrecisionNames.Parse);

    private static readonly Option<bool> s_resume = new("--resume") { Description = "Demand that there is a checkpoint to go on from [default: go on where there is one, else begin]" };

    public static Command Create()
    {
        var command = new Command("train", "Trains a model on the drawn world or a folder of videos, fine-tunes one, or distils one into few steps; goes on where an interrupted run with the same settings stopped.") { s_file, s_resume, s_sprites, s_threads, s_precision };
        command.SetAction(RunAsync);
        return command;
    }

    // On a thread of its own: one from the pool would be missing where the interruption arrives.
    private static Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => Run(line, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static int Run(ParseResult line, CancellationToken cancellationToken)
    {
        TrainingFile file = TrainingFile.Load(line.GetValue(s_file)!);
        torch.set_num_threads(line.GetValue(s_threads) ?? Environment.ProcessorCount);
        using MpiGradientExchange? exchange = MpiGradientExchange.Start();
        try
        {
            // Of several ranks one reads it.
            if (line.GetValue(s_resume) && exchange is null or { Rank: 0 } && !File.Exists(file.CheckpointPath))
                throw new SoraException($"There is no checkpoint {file.CheckpointPath} to resume; without --resume the training begins.");
            Train(line, file, exchange, cancellationToken);
        }
        catch (SoraException exception) when (exchange is not null)
        {
            throw new SoraException($"rank {exchange.Rank} of {exchange.Count}: {exception.Message}", exception);
        }
        exchange?.Complete();
        return ExitCode.Done;
    }

    private static void Train(ParseResult line, TrainingFile file, MpiGradientExchange? exchange, CancellationToken cancellationToken)
    {
        torch.ScalarType type = file.ComputeType(line.GetValue(s_precision) ?? Precision.Auto);
        // Of several ranks one tells how it goes.
        Action<string> log = exchange is { Rank: > 0 } ? _ => { } : Log;
        if (file.FineTuning is { Data.Folder: not null } onFolder)
        {
            FineTune(onFolder, null, type, log, exchange, cancellationToken);
            return;
        }
        if (file.Distillation is { Prompts: not null } ofPrompts)
        {
            Distill(ofPrompts, null, type, log, exchange, cancellationToken);
            return;
        }
        // Videos of one's own need no sprites.
        World? world = (file.Flow?.Data ?? file.Vae?.Data)?.Folder is not null ? null
            : new World(file.World, SpriteAtlas.Load(line.GetValue(s_sprites) ?? SpriteAtlas.DefaultFolder, SubjectsOf(file)));
        if (file.Vae is { } vae)
        {
            using var trainer = new VaeTrainer(vae, world, type, exchange, log, cancellationToken);
            trainer.Run(log, cancellationToken);
        }
        if (file.Flow is { } flow)
        {
            using var trainer = new FlowTrainer(flow, world, type, log, cancellationToken, exchange: exchange);
            trainer.Run(log, cancellationToken);
        }
        if (file.FineTuning is { } tuning)
            FineTune(tuning, world, type, log, exchange, cancellationToken);
        if (file.Distillation is { } distillation)
            Distill(distillation, world, type, log, exchange, cancellationToken);
    }

    // Clips of native sizes may show more of the catalogue than the others.
    private static IEnumerable<Subject> SubjectsOf(TrainingFile file) =>
        file.Flow?.Native?.World is { } native ? file.World.Subjects.Union(SpriteWorldConfig.Find(native).Subjects) : file.World.Subjects;

    private static void Distill(
        DistillationConfig config, World? world, torch.ScalarType type, Action<string> log, MpiGradientExchange? exchange, CancellationToken cancellationToken)
    {
        if (exchange is { Count: > 1 })
            throw new SoraException($"kind 'distill' runs in one process, and mpirun started {exchange.Count}; nearest: without mpirun.");
        using var trainer = new Distiller(config, world, type, log, cancellationToken);
        trainer.Run(log, cancellationToken);
    }

    private static void FineTune(
        FineTuningConfig config, World? world, torch.ScalarType type, Action<string> log, MpiGradientExchange? exchange, CancellationToken cancellationToken)
    {
        using var trainer = new FineTuner(config, world, type, log, cancellationToken, exchange);
        trainer.Run(log, cancellationToken);
    }

    private static void Log(string message) =>
        Console.WriteLine(DateTime.Now.ToString("HH:mm:ss ", CultureInfo.InvariantCulture) + message);
}
