using System.CommandLine;
using Sora.Cli;

using var interruption = new Interruption();
var sora = new RootCommand("""
    Generates video from text.
    For example: sora generate "A red fish swims left in the deep sea" -o fish.mp4
    """)
{
    GenerateCommand.Create(),
    AnimateCommand.Create(),
    EditCommand.Create(),
    OutpaintCommand.Create(),
    ExtendCommand.Create(),
    ConnectCommand.Create(),
    LoopCommand.Create(),
    StoryboardCommand.Create(),
    TrainCommand.Create(),
    EvaluateCommand.Create(),
    InfoCommand.Create(),
    InitCommand.Create(),
    ConvertCommand.Create(),
    MergeCommand.Create(),
};
return await CommandRunner.RunAsync(sora, args, interruption.Token);
