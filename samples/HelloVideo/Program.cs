// The least program that makes a video: HelloVideo [MODEL-FOLDER [OUTPUT]]
using Sora;

string model = args.ElementAtOrDefault(0) ?? "models/pocket";
string output = args.ElementAtOrDefault(1) ?? "hello.mp4";

using VideoGenerator generator = await VideoGenerator.LoadAsync(model);

var request = new VideoRequest("A red fish swims left in the deep sea")
{
    FrameCount = 17, // 4n + 1
    Seed = 42,
};
await using GeneratedVideo video = await generator.GenerateAsync(request);
await video.SaveAsync(output);
Console.WriteLine($"{output}: {video.Frames.Count} frames, seed {video.Seed}");
