using Sora.Training.SpriteWorld;

namespace Sora.DocsSnippets;

internal static class DrawnWorld
{
    public static ClipScore DrawAndJudge()
    {
        SpriteWorldConfig config = SpriteWorldConfig.FirstEdition;
        var world = new World(config, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, config.Subjects));
        ClipDescription clip = world.SampleTraining(seed: 7);
        var rgb = new byte[17 * 64 * 64 * 3];                                             // T H W 3
        world.Render(clip, width: 64, height: 64, frameCount: 17, fps: 8, rgb);
        string caption = Captions.FullSentence(clip);                                     // "a red fish swims left in the deep sea"

        ClipScore score = new WorldAnalysis(world).Score(rgb, 64, 64, CaptionParser.Parse(caption));
        Console.WriteLine($"{caption}: subject {score.Subject}, scene {score.Scene}, motion {score.Motion}");
        return score;
    }
}
