using Microsoft.Extensions.AI;

namespace Sora.Tests.Prompts;

/// <summary>Answers as it is told, and remembers what it was asked.</summary>
internal sealed class FakeChatClient(Func<CancellationToken, Task<ChatResponse>> answer) : IChatClient
{
    public FakeChatClient(string answer) : this(_ => Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer))))
    {
    }

    public IReadOnlyList<ChatMessage> Messages { get; private set; } = [];

    public ChatOptions? Options { get; private set; }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        (Messages, Options) = ([.. messages], options);
        return answer(cancellationToken);
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
