using Sora.Training;
using Sora.Training.Data;
using static TorchSharp.torch;

namespace Sora.DocsSnippets;

internal static class OwnVideos
{
    public static void Train(FlowTrainingConfig config, Func<byte[], ClipShape, string> model, CancellationToken cancellationToken)
    {
        using var trainer = new FlowTrainer(config, null, bfloat16, Console.WriteLine, cancellationToken, new MyCaptioner(model));
        trainer.Run(Console.WriteLine, cancellationToken);
    }

    public static void List(CancellationToken cancellationToken)
    {
        VideoFolder folder = VideoFolder.Open(new VideoFolderOptions("clips", new ClipStrides(Spatial: 16, Temporal: 4)), Console.WriteLine, cancellationToken);
        for (int i = 0; i < folder.Count; i++)
            Console.WriteLine($"{folder.Info(i).Name}: {folder.Info(i).Shape}, \"{folder.Captions(i).Short[0]}\"");
    }
}

internal sealed class MyCaptioner(Func<byte[], ClipShape, string> model) : ICaptioner
{
    public string Name => "my-model-1";   // Another name writes all captions anew.

    public string Describe(IClipSource clips, int clip, CancellationToken cancellationToken) =>
        model(clips.Draw(clip, cancellationToken), clips.Info(clip).Shape);      // RGB24 [T, H, W, 3]
}
