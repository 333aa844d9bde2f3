using System.CommandLine;
using System.Globalization;
using Sora.Training;
using Sora.Training.SpriteWorld;
using TorchSharp;

namespace Sora.Cli;

/// <summary><c>sora train</c>: trains a part of a model on the drawn world.</summary>
internal static class TrainCommand
{
    private static readonly Argument<string> s_file = new("CONFIG.json") { Description = "The training's settings; models/pocket-vae.json and models/pocket-flow.json are examples" };

    private static readonly Option<string?> s_sprites = Setting.Text("--sprites", "DIR", "The folder of sprites that models/sprites.sh prints [default: its default]");

    private static readonly Option<int?> s_threads = Setting.Number<int>("--threads", "N", "Processor threads [default: all cores]");

    public static Command Create()
    {
        var command = new Command("train", "Trains on the drawn world or a folder of videos; goes on where an interrupted run with the same settings stopped.") { s_file, s_sprites, s_threads };
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
        // Videos of one's own need no sprites.
        World? world = file.Flow?.Data.Folder is not null ? null
            : new World(file.World, SpriteAtlas.Load(line.GetValue(s_sprites) ?? SpriteAtlas.DefaultFolder, file.World.Subjects));
        if (file.Vae is { } vae)
        {
            using var trainer = new VaeTrainer(vae, world!, torch.bfloat16);
            trainer.Run(Log, cancellationToken);
        }
        if (file.Flow is { } flow)
        {
            using var trainer = new FlowTrainer(flow, world, torch.bfloat16, Log, cancellationToken);
            trainer.Run(Log, cancellationToken);
        }
        return ExitCode.Done;
    }

    private static void Log(string message) =>
        Console.WriteLine(DateTime.Now.ToString("HH:mm:ss ", CultureInfo.InvariantCulture) + message);
}
